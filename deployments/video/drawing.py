"""What was recognised, drawn onto a frame: a box in the track's colour, the product's title, how similar it is, the track's number."""

from PIL import Image, ImageDraw

from deployments.video.fonts import Font, can_draw
from graphs.recognize import SeenProduct

Colour = tuple[int, int, int]
# light and far apart: black text stands out on each of them
COLOURS: tuple[Colour, ...] = (
    (90, 220, 120), (255, 196, 60), (90, 200, 255), (255, 140, 170), (200, 170, 255), (255, 160, 90), (120, 235, 225), (225, 235, 110),
)  # fmt: skip
UNKNOWN: Colour = (205, 205, 205)
INK: Colour = (16, 18, 22)
ELLIPSIS = "..."


def draw_products(picture: Image.Image, products: tuple[SeenProduct, ...], font: Font) -> None:
    """Draws onto `picture`; objects that are no known product get a thin grey box without a label."""
    pen = ImageDraw.Draw(picture)
    width = max(2, round(min(picture.size) / 240))
    for seen in sorted(products, key=lambda product: bool(product.matches)):
        left, top, right, bottom = _within(seen, picture.size)
        if right - left < 2 or bottom - top < 2:
            continue
        colour = COLOURS[(seen.track_id or 0) % len(COLOURS)] if seen.matches else UNKNOWN
        pen.rectangle((left, top, right, bottom), outline=colour, width=width if seen.matches else max(1, width // 2))
        if seen.matches:
            _label(pen, picture.size, (left, top), label_of(seen, font), colour, font)


def label_of(seen: SeenProduct, font: Font) -> str:
    """Title, similarity and track; the product's id where the font lacks the title's characters."""
    best = seen.matches[0]
    name = best.title if can_draw(font, best.title) else best.product_id
    name = "".join(character if character.isprintable() else "?" for character in name)  # the layout fails on control characters
    return f"{' '.join(name.split())}  {best.similarity:.2f}" + (f"  #{seen.track_id}" if seen.track_id is not None else "")


def shortened(text: str, width_px: float, font: Font) -> str:
    """The text, or its beginning and its last two words (similarity and track) within `width_px`."""
    if font.getlength(text) <= width_px:
        return text
    name, _, numbers = text.partition("  ")
    while name and font.getlength(f"{name}{ELLIPSIS}  {numbers}") > width_px:
        name = name[:-1]
    return f"{name.rstrip()}{ELLIPSIS}  {numbers}"


def _label(pen: ImageDraw.ImageDraw, size: tuple[int, int], corner: tuple[float, float], text: str, colour: Colour, font: Font) -> None:
    """Above the box, or inside it at the frame's upper edge; never beyond the frame's sides."""
    tall = font.getbbox("Ág")[3] + 6
    said = shortened(text, size[0] - 12, font)
    wide = font.getlength(said) + 10
    left = max(0.0, min(corner[0], size[0] - wide))
    top = corner[1] - tall if corner[1] >= tall else corner[1]
    pen.rectangle((left, top, left + wide, top + tall), fill=colour)
    pen.text((left + 5, top + 2), said, fill=INK, font=font)


def _within(seen: SeenProduct, size: tuple[int, int]) -> tuple[float, float, float, float]:
    left, top, right, bottom = seen.box
    return max(0.0, left), max(0.0, top), min(size[0] - 1.0, right), min(size[1] - 1.0, bottom)
