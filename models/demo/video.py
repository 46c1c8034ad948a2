"""Drawn footage of a live room: one product after the other is raised, held up and put away, and it is known which, when and where."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random

from PIL import Image

from models.demo.drawing import scene
from models.demo.drawing.frame import fitted
from models.demo.drawing.look import look_of
from models.demo.drawing.views import numbered_view, render
from models.types import Box, Product, ProductId

RAISING_S = 0.6  # from behind the table up to where it is held, and down again
HELD_LOW = 0.62  # where on the product, from its top, the hand is


@dataclass(frozen=True, slots=True)
class Showing:
    """What the footage shows when: the truth that a recognition of it is measured against."""

    product_id: ProductId
    from_s: float
    to_s: float


@dataclass(frozen=True, slots=True)
class FootageFrame:
    """One drawn frame. `boxes` are in its pixels, in the order of `shown`, which is empty while nothing is held up."""

    time_s: float
    picture: Image.Image
    shown: tuple[ProductId, ...]
    boxes: tuple[Box, ...]


@dataclass(frozen=True, slots=True)
class _Act:
    """One product's turn: its picture and how the hand moves meanwhile."""

    showing: Showing
    sprite: Image.Image
    grip_seed: int
    phase: float


def demo_showings(products: Sequence[Product], *, seconds_each: float, gap_s: float = 2.0) -> tuple[Showing, ...]:
    """When each product is shown: `seconds_each` long, with `gap_s` of nothing before each and after the last."""
    turn_s = seconds_each + gap_s
    return tuple(
        Showing(product.product_id, gap_s + index * turn_s, gap_s + index * turn_s + seconds_each) for index, product in enumerate(products)
    )


def demo_footage(  # noqa: PLR0913  # what footage is made of
    products: Sequence[Product],
    *,
    seconds_each: float,
    gap_s: float = 2.0,
    fps: float = 25.0,
    size: tuple[int, int] = (720, 960),
    seed: int = 0,
    per_scene: int = 0,
) -> Iterator[FootageFrame]:
    """The frames of a room of `size` (width, height) that shows `products` one after the other; the same seed draws the same.

    A product counts as shown from half way up to half way down: in its time of `demo_showings`. The room and its host change after
    `per_scene` products; 0: never. Raises ValueError when a time, the rate or the size is not positive.
    """
    if min(seconds_each, fps, *size) <= 0 or gap_s < 0:
        raise ValueError(f"footage needs positive times, rate and size, not {seconds_each} s each, {gap_s} s between, {fps}/s, {size}")
    showings = demo_showings(products, seconds_each=seconds_each, gap_s=gap_s)
    length_s = (showings[-1].to_s if showings else 0.0) + gap_s
    room = _Room(seed, 0, size)
    acts = [_act(product, showing, seed, index, size) for index, (product, showing) in enumerate(zip(products, showings, strict=True))]
    for number in range(round(length_s * fps)):
        time_s = number / fps
        index = _turn(showings, time_s, gap_s)
        if per_scene and index // per_scene != room.number:
            room = _Room(seed, index // per_scene, size)
        yield room.frame(time_s, acts[index] if acts else None)


class _Room:
    """One room with its host, drawn once, and the frames in it."""

    def __init__(self, seed: int, number: int, size: tuple[int, int]) -> None:
        self.number = number
        self._seed = f"{seed}/{number}"
        self._stage = scene.stage(Random(f"room/{self._seed}"), size, tidy=True, moving=True)
        floor = math.floor(self._stage.table_y)
        self._table = (self._stage.picture.crop((0, floor, *size)), floor)

    def frame(self, time_s: float, act: _Act | None) -> FootageFrame:
        picture = self._stage.picture.copy()
        raised = _raised(act.showing, time_s) if act else 0.0
        hand = self._hand(time_s, act, raised)
        if self._stage.arm is not None:
            scene.reach(picture, self._stage.arm, hand)
        box = self._hold(picture, act, time_s, hand) if act and raised > 0 else None
        table, floor = self._table
        picture.paste(table, (0, floor))
        scene.overlay(picture, Random(f"app/{self._seed}"))
        if act is None or box is None or not act.showing.from_s <= time_s < act.showing.to_s:
            return FootageFrame(time_s, picture, (), ())
        return FootageFrame(time_s, picture, (act.showing.product_id,), (self._visible(box),))

    def _hand(self, time_s: float, act: _Act | None, raised: float) -> tuple[float, float]:
        """Where the hand is: behind the table, or held up and swaying."""
        (width, height), stage = self._stage.picture.size, self._stage
        if act is None:
            return stage.hand[0], height + 0.2 * height
        low = act.sprite.height * 1.1 * (1 - HELD_LOW)
        rest_y = min(stage.hand[1], stage.table_y - low - 0.03 * height)
        hidden_y = stage.table_y + act.sprite.height * 1.2
        shoulder_x = stage.arm.shoulder[0] if stage.arm else 0.0
        sway = min(0.05 * width, 0.8 * abs(stage.hand[0] - shoulder_x))  # beyond the shoulder the elbow would jump over
        x = stage.hand[0] + sway * math.sin(time_s * 0.9 + act.phase)
        y = rest_y + 0.02 * height * math.sin(time_s * 1.3 + 2 * act.phase)
        return x, y + (1 - raised) * (hidden_y - y)

    def _hold(self, picture: Image.Image, act: _Act, time_s: float, hand: tuple[float, float]) -> tuple[int, int, int, int]:
        """The product in the hand, turning a little and now nearer, now farther; returns its box, hidden parts included."""
        nearer = 1 + 0.06 * math.sin(time_s * 0.7 + act.phase)
        turned = act.sprite.rotate(6 * math.sin(time_s * 0.8 + act.phase), Image.Resampling.BILINEAR, expand=True)
        placed = fitted(turned, max(act.sprite.size) * nearer)
        left, top = round(hand[0] - placed.width / 2), round(hand[1] - placed.height * HELD_LOW)
        picture.paste(placed, (left, top), placed)
        box = (left, top, left + placed.width, top + placed.height)
        scene.grip(picture, box, self._stage.skin, Random(act.grip_seed))
        return box

    def _visible(self, box: tuple[int, int, int, int]) -> Box:
        """The part of a box that is in the frame and above the table."""
        width, floor = self._stage.picture.width, self._table[1]
        return float(max(0, box[0])), float(max(0, box[1])), float(min(width, box[2])), float(min(floor, box[3]))


def _act(product: Product, showing: Showing, seed: int, index: int, size: tuple[int, int]) -> _Act:
    rng = Random(f"act/{seed}/{index}/{product.product_id}")
    look = look_of(product.product_id, product.category)
    sprite = render(look, numbered_view(rng.randrange(1, 4), seed=look.seed), min(size) // 2)
    held = fitted(sprite, rng.uniform(0.34, 0.46) * min(size))
    return _Act(showing, held, grip_seed=rng.randrange(2**31), phase=rng.uniform(0, math.tau))


def _turn(showings: Sequence[Showing], time_s: float, gap_s: float) -> int:
    """The index of the product whose turn it is: the gap before it belongs to it by half."""
    return max(0, sum(showing.from_s - gap_s / 2 <= time_s for showing in showings) - 1)


def _raised(showing: Showing, time_s: float) -> float:
    """0 behind the table to 1 held up, half way at the ends of the showing, gently."""
    from_start, to_end = time_s - showing.from_s, showing.to_s - time_s
    share = min(max(0.5 + min(from_start, to_end) / RAISING_S, 0.0), 1.0)
    return share * share * (3 - 2 * share)
