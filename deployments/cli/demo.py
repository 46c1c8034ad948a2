"""`livecart demo video`: footage of a drawn live room, to try `livecart recognize` with."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from deployments.cli.common import AsJson, fail, print_json

if TYPE_CHECKING:
    from models.types import Product

app = typer.Typer(help="The demo world.", no_args_is_help=True)
WIDTH, HEIGHT = 720, 960
GAP_S = 2.0


@app.callback()
def group() -> None:
    """The demo world: sixty invented products and eight rooms."""


@app.command()
def video(  # noqa: PLR0913  # a command's options
    out: Annotated[Path, typer.Option(help="The file: .mp4, .mkv or .webm.")],
    room: Annotated[str, typer.Option(help="Demo room whose shelf is shown, in its order.")] = "room-06",
    seconds: Annotated[float, typer.Option(help="How long.", min=3, max=3_600)] = 60.0,
    each: Annotated[float, typer.Option(help="Seconds a product is shown, roughly; between two products nothing is.", min=0.5)] = 8.0,
    fps: Annotated[float, typer.Option(min=1, max=60)] = 25.0,
    seed: Annotated[int, typer.Option(help="Same seed, same video.")] = 0,
    *,
    force: Annotated[bool, typer.Option("--force", help="Overwrite the file.")] = False,
    as_json: AsJson = False,
) -> None:
    """Draw a video in which a host shows products one after the other; prints which is shown when.

    Example: `livecart demo video --out demo.mp4 --seconds 60`, then `livecart recognize demo.mp4 --room room-06 --out annotated.mp4`
    """
    from rich.console import Console
    from rich.progress import track

    from deployments.video.errors import VideoError
    from deployments.video.timeline import clock
    from deployments.video.writing import VideoWriter, check_output
    from models.demo.video import demo_footage, demo_showings

    count = max(1, round((seconds - GAP_S) / (each + GAP_S)))
    products, shown_s = _shelf(room, count), (seconds - GAP_S) / count - GAP_S
    footage = demo_footage(products, seconds_each=shown_s, gap_s=GAP_S, fps=fps, size=(WIDTH, HEIGHT), seed=seed)
    try:
        check_output(out, force=force)
        with VideoWriter(out, fps=fps, size=(WIDTH, HEIGHT)) as writer:
            for frame in track(footage, "drawing", total=round(seconds * fps), console=Console(stderr=True)):
                writer.write(frame.picture, frame.time_s)
    except VideoError as error:
        fail(str(error))
    showings = demo_showings(products, seconds_each=shown_s, gap_s=GAP_S)
    if as_json:
        rows = [{"product_id": showing.product_id, "from_s": showing.from_s, "to_s": showing.to_s} for showing in showings]
        print_json({"out": str(out), "room_id": room, "showings": rows})
        return
    titles = {product.product_id: product.title for product in products}
    for showing in showings:
        typer.echo(f"{clock(showing.from_s)} to {clock(showing.to_s)}  {showing.product_id} {titles[showing.product_id]}")
    typer.echo(f"wrote {out}")


def _shelf(room_id: str, count: int) -> "tuple[Product, ...]":
    """The first `count` products of a demo room's shelf, from its beginning again when it is shorter."""
    from models.demo.catalog import demo_products, demo_rooms

    rooms = {str(room.room_id): room for room in demo_rooms()}
    found = rooms.get(room_id)
    if found is None:
        fail(f"no demo room `{room_id}`; there are {', '.join(rooms)}")
    products = {product.product_id: product for product in demo_products()}
    return tuple(products[found.shelf[index % len(found.shelf)]] for index in range(count))
