"""`livecart index build`: what a start loads is what it would have built, and never more than the store holds."""

import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from deployments.cli.root import app
from deployments.loading import load_retriever
from deployments.settings import Settings
from livecart_client import wire
from models.artifacts import MANIFEST, read_manifest, write_manifest
from models.demo.catalog import demo_products
from models.language.text_embedder import TextEmbedder
from models.recommend.retriever import ShopIndex, product_text
from models.segments import IndexOptions
from models.types import ProductId, Vectors

PRODUCTS = demo_products()
SETTINGS = Settings()


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("home")
    rows = [wire.Product.model_validate(product, from_attributes=True).model_dump_json(exclude_none=True) for product in PRODUCTS]
    (made / "products.jsonl").write_text("\n".join(rows), encoding="utf-8")
    built = CliRunner().invoke(app, ["index", "build", "--data", str(made / "products.jsonl"), "--home", str(made), "--json"])
    assert built.exit_code == 0, built.output
    told = json.loads(built.stdout[built.stdout.index("{\n") :])
    assert (told["products"], told["out"]) == (len(PRODUCTS), str(made / "index"))
    return made


@dataclass(slots=True)
class Listening:
    """A text embedder that keeps what it was asked."""

    embedder: TextEmbedder
    asked: list[str] = field(default_factory=list)

    @property
    def dim(self) -> int:
        return self.embedder.dim

    def embed(self, texts: Sequence[str]) -> Vectors:
        self.asked.extend(texts)
        return self.embedder.embed(texts)


def test_a_start_loads_what_it_would_have_built(home: Path) -> None:
    assert read_manifest(home / "index")["kind"] == "index"
    index = load_retriever(SETTINGS.retriever, SETTINGS.embedder, home).index
    fresh = load_retriever(SETTINGS.retriever, SETTINGS.embedder).index
    fresh.put_products(PRODUCTS)
    ids = [product.product_id for product in PRODUCTS]
    np.testing.assert_allclose(index.text_vectors(ids), fresh.text_vectors(ids), atol=1e-5)


def test_only_texts_that_have_changed_are_embedded_and_what_the_store_lacks_goes(home: Path) -> None:
    embedder = Listening(TextEmbedder.load(SETTINGS.retriever.text_embedder))
    index = ShopIndex(embedder, picture_dim=1, factor_dim=1)
    index.restore(home / "index")
    index.keep_products([product.product_id for product in PRODUCTS[:-1]])
    assert not index.knows(PRODUCTS[-1].product_id)
    changed = replace(PRODUCTS[0], title="另一个名字")
    index.put_products([changed, *PRODUCTS[1:-1]])
    texts = {product_text(product) for product in (changed, *PRODUCTS)}
    assert texts.intersection(embedder.asked) == {product_text(changed)}


def truncated(folder: Path) -> None:
    vectors = folder / "products" / "vectors.npz"
    vectors.write_bytes(vectors.read_bytes()[:100])


def truncated_and_signed(folder: Path) -> None:
    manifest = read_manifest(folder)
    truncated(folder)
    write_manifest(folder, kind="index", schema=1, command="livecart index build", seed=0, data=manifest["data"], metrics={})


def told_otherwise(**facts: object) -> Callable[[Path], None]:
    def tell(folder: Path) -> None:
        (folder / MANIFEST).write_text(json.dumps({**read_manifest(folder), **facts}))

    return tell


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (truncated, "vectors.npz is damaged"),
        (truncated_and_signed, "BadZipFile"),
        (lambda folder: (folder / "digests.npy").unlink(), "digests.npy is missing"),
        (lambda folder: (folder / MANIFEST).unlink(), "manifest.json is missing"),
        (lambda folder: (folder / MANIFEST).write_text(""), "manifest.json cannot be read"),
        (lambda folder: (folder / MANIFEST).write_text("{}"), "is not a manifest"),
        (told_otherwise(schema=0), "has schema 0"),
        (told_otherwise(files=[], data={}), "AttributeError"),
        (told_otherwise(data={"text_embedder": "another"}), "another text embedder"),
    ],
)
def test_an_index_that_cannot_be_used_is_told_of_and_built_anew(
    home: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture, damage: Callable[[Path], None], said: str
) -> None:
    folder = tmp_path / "index"
    shutil.copytree(home / "index", folder)
    damage(folder)
    index = load_retriever(SETTINGS.retriever, SETTINGS.embedder, tmp_path).index
    (told,) = (record.getMessage() for record in caplog.records if record.levelname == "WARNING")
    assert said in told
    assert "livecart index build" in told
    assert not index.knows(PRODUCTS[0].product_id)
    index.put_products(PRODUCTS[:1])
    assert index.knows(PRODUCTS[0].product_id)


def test_a_saved_index_keeps_its_sealed_part_and_its_updates(tmp_path: Path) -> None:
    options = IndexOptions(exact_up_to=50, rebuild_from=1_000)
    embedder = TextEmbedder.load(SETTINGS.retriever.text_embedder)
    index = ShopIndex(embedder, picture_dim=1, factor_dim=1, options=options)
    index.put_products(PRODUCTS)
    index.settle()
    index.remove_product(PRODUCTS[0].product_id)
    late = replace(PRODUCTS[1], product_id=ProductId("late"), title="late lamp")
    index.put_products([late])
    index.save(tmp_path)
    again = ShopIndex(embedder, picture_dim=1, factor_dim=1, options=options)
    again.restore(tmp_path)
    assert (tmp_path / "products" / "sealed.faiss").is_file()
    assert not again.knows(PRODUCTS[0].product_id)
    assert again.knows(late.product_id)
    query = embedder.embed(["lamp"])
    assert again.nearest_texts(query, 10) == index.nearest_texts(query, 10)
