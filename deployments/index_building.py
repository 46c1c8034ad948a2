"""Builds the index of the products' texts ahead of a start."""

import shutil
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.progress import track

from deployments.loading import INDEX, INDEX_SCHEMA, embedder_digest
from models.artifacts import write_manifest
from models.language.text_embedder import TextEmbedder
from models.recommend.retriever import ShopIndex
from models.types import Product

AT_ONCE = 5_000  # products


@dataclass(frozen=True, slots=True)
class Built:
    folder: Path
    products: int
    took_s: float
    size_bytes: int


def build_index(products: Sequence[Product], home: Path, text_embedder: Path) -> Built:
    """Into HOME/index, in the place of one of before when it is complete. Raises ArtifactError."""
    began = time.monotonic()
    index = ShopIndex(TextEmbedder.load(text_embedder), picture_dim=1, factor_dim=1)
    firsts = range(0, len(products), AT_ONCE)
    for first in track(firsts, description="index", console=Console(stderr=True)):
        index.put_products(products[first : first + AT_ONCE])
    home.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=home, prefix=".index-") as scratch:
        draft = Path(scratch) / INDEX
        draft.mkdir()
        index.save(draft)
        data = {"products": len(products), "text_embedder": embedder_digest(str(text_embedder))}
        write_manifest(draft, kind="index", schema=INDEX_SCHEMA, command="livecart index build", seed=0, data=data, metrics={})
        size = sum(path.stat().st_size for path in draft.rglob("*") if path.is_file())
        shutil.rmtree(home / INDEX, ignore_errors=True)
        draft.rename(home / INDEX)
    return Built(home / INDEX, len(products), time.monotonic() - began, size)
