"""`livecart index build`: the vectors that a start needs, made ahead of it."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from deployments.cli.common import HERE, AsJson, Home, errors_named, fail, print_json

if TYPE_CHECKING:
    from models.types import Product

app = typer.Typer(help="Indexes of the catalogue.", no_args_is_help=True)
Data = Annotated[str, typer.Option(help="store: this installation's products; else a CSV or JSONL file as of `catalog import`.")]


@app.callback()
def _group() -> None:
    """Keeps `build` a command of its own."""


@app.command()
@errors_named()
def build(
    data: Data = "store",
    *,
    home: Home = HERE,
    text_embedder: Annotated[Path, typer.Option(help="The artifact that will serve.")] = Path("models/zoo/text_embedder"),
    as_json: AsJson = False,
) -> None:
    """Embed the texts of all products and build their index into HOME/index; the next start loads it instead of building its own.

    What has changed since is taken from the store at the start, so an old index costs time and no correctness. One of before is
    replaced when the new one is complete.

    Examples: `livecart index build`; `livecart index build --data products.csv --home /srv/shop --json`
    """
    from deployments.index_building import build_index

    products = _products(data, home)
    if not products:
        fail("there are no products to index; import some first")
    built = build_index(products, home, text_embedder)
    if as_json:
        print_json({"out": str(built.folder), "products": built.products, "took_s": round(built.took_s, 2), "bytes": built.size_bytes})
        return
    typer.echo(f"wrote {built.folder}: {built.products} products in {built.took_s:.1f} s, {built.size_bytes / 2**20:.1f} MiB")


def _products(data: str, home: Path) -> "list[Product]":
    from deployments.settings import Settings
    from deployments.shop_data import products_from, products_of_store
    from graphs.errors import LivecartError

    if data != "store":
        return products_from(Path(data))
    try:
        return products_of_store(Settings(home=home.absolute()))
    except LivecartError as error:
        fail(error.message)
