"""Builds the index of the products' texts ahead of a start."""

import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
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
SCRATCH = ".index-"  # a folder below home, held by the build that made it


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
    _sweep(home)
    with tempfile.TemporaryDirectory(dir=home, prefix=SCRATCH) as scratch, _held(Path(scratch)):
        draft = Path(scratch) / INDEX
        draft.mkdir()
        index.save(draft)
        data = {"products": len(products), "text_embedder": embedder_digest(str(text_embedder))}
        write_manifest(draft, kind="index", schema=INDEX_SCHEMA, command="livecart index build", seed=0, data=data, metrics={})
        size = sum(path.stat().st_size for path in draft.rglob("*") if path.is_file())
        _put(draft, home / INDEX)
    return Built(home / INDEX, len(products), time.monotonic() - began, size)


def _put(draft: Path, place: Path) -> None:
    """By renaming: what stands there before goes into the draft's own folder, which ends with the build."""
    before = draft.with_name("before")
    with suppress(FileNotFoundError):
        place.rename(before)
    try:
        draft.rename(place)
    except OSError:
        if before.is_dir():
            before.rename(place)
        raise


@contextmanager
def _held(folder: Path) -> Iterator[None]:
    """Nobody else holds the folder until the end of this, or of the process. Raises BlockingIOError while somebody does."""
    opened = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(opened)


def _sweep(home: Path) -> None:
    """Remove what builds left that were killed; those that run hold theirs."""
    for left in home.glob(f"{SCRATCH}*"):
        with suppress(BlockingIOError, FileNotFoundError), _held(left):
            shutil.rmtree(left)
