"""What a product looks like, as data: the same look always draws the same picture."""

import colorsys
import hashlib
from dataclasses import dataclass, replace
from random import Random

from models.demo.drawing.shapes import DEMO_FAMILIES

Colour = tuple[int, int, int]

FAMILIES: dict[str, tuple[str, ...]] = {
    "beauty": ("lipstick", "compact", "polish"),
    "skincare": ("jar", "tube", "pump"),
    "food": ("pouch", "tin", "fruit_bag"),
    "drinks": ("bottle", "can", "carton"),
    "kitchen": ("pan", "mug", "kettle"),
    "home": ("lamp", "plant", "cushion", "book"),
    "electronics": ("phone", "headphones", "watch", "speaker"),
    "clothing": ("tshirt", "trousers", "dress"),
    "shoes": ("sneaker", "boot"),
    "toys": ("bear", "blocks", "car"),
    "sports": ("ball", "dumbbell", "racket"),
    "pets": ("bone", "bowl", "cat_house"),
}
CATEGORIES: tuple[str, ...] = tuple(FAMILIES)
PATTERNS = ("plain", "plain", "plain", "hoops", "bars", "diagonal", "dots", "checks", "waves", "split", "gradient")
EMBLEMS = ("circle", "star", "leaf", "heart", "bolt", "drop", "ring", "triangle", "diamond", "flower", "cross", "moon")
NEUTRALS: tuple[Colour, ...] = ((244, 242, 236), (40, 42, 48), (150, 154, 160), (232, 220, 196), (32, 44, 84), (96, 72, 56))


@dataclass(frozen=True, slots=True)
class Look:
    """Everything that tells one product from another; the family belongs to the category."""

    family: str
    category: str
    body: Colour
    accent: Colour
    paper: Colour  # of the label
    ink: Colour  # on the label
    pattern: str
    emblem: str
    layout: int  # 0..3: how the label is laid out
    stature: float  # 0..1: squat to slender, whatever that means for the family
    detail: float  # 0..1: a second proportion, of the family's own
    seed: int  # of small details


def look_of(product_id: str, category: str) -> Look:
    """The look of one product: from a stable hash of its id, the demo catalogue's in their own shapes.

    An unknown category draws from all families.
    """
    digest = hashlib.sha256(f"{category}/{product_id}".encode()).digest()
    look = random_look(Random(int.from_bytes(digest[:8], "big")), category=category)
    return replace(look, family=DEMO_FAMILIES.get(product_id, look.family))


def random_look(rng: Random, *, category: str | None = None) -> Look:
    """A look drawn from all categories, or from one."""
    chosen = category if category in FAMILIES else rng.choice(CATEGORIES)
    body = _colour(rng)
    paper = rng.choice((NEUTRALS[0], NEUTRALS[3], _colour(rng)))
    return Look(
        family=rng.choice(FAMILIES[chosen]),
        category=chosen,
        body=body,
        accent=_unlike(rng, body) if rng.random() < 0.6 else shade(body, rng.choice((0.55, 0.7, 1.35))),
        paper=paper,
        ink=_unlike(rng, paper),
        pattern=rng.choice(PATTERNS),
        emblem=rng.choice(EMBLEMS),
        layout=rng.randrange(4),
        stature=rng.random(),
        detail=rng.random(),
        seed=rng.randrange(2**31),
    )


def shade(colour: Colour, factor: float) -> Colour:
    """Darker (factor below 1) or lighter (above 1), clipped to 0..255."""
    red, green, blue = (min(255, max(0, round(channel * factor))) for channel in colour)
    return red, green, blue


def _colour(rng: Random) -> Colour:
    if rng.random() < 0.3:
        return rng.choice(NEUTRALS)
    red, green, blue = colorsys.hsv_to_rgb(rng.random(), rng.uniform(0.3, 0.78), rng.uniform(0.5, 0.97))
    return round(red * 255), round(green * 255), round(blue * 255)


def _unlike(rng: Random, other: Colour) -> Colour:
    """A colour that stands out against another one (best of a few draws by luma and chroma distance)."""
    return max((_colour(rng) for _ in range(3)), key=lambda colour: sum(abs(a - b) for a, b in zip(colour, other, strict=True)))
