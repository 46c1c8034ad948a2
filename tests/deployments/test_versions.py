"""A link names the version that serves: it is followed, and a version that cannot be loaded changes nothing."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from deployments.loading import load_ranker, load_retriever
from deployments.local import LocalRanker
from deployments.settings import RankerConfig, RetrieverConfig, Settings
from deployments.versions import VersionFollower, point
from models.types import ArtifactError

POLL_S = 0.01


async def until(reached: "asyncio.Event") -> None:
    async with asyncio.timeout(30):
        await reached.wait()


class Shelf:
    """Serves what it is told to, but for folders called `bad`."""

    def __init__(self) -> None:
        self.served: list[str] = []
        self.tried: list[str] = []
        self.turn = asyncio.Event()

    async def swap(self, folder: str) -> None:
        name = Path(folder).name
        self.tried.append(name)
        self.turn.set()
        if name == "bad":
            raise ArtifactError("nothing in it")
        self.served.append(name)

    async def waits(self) -> None:
        await until(self.turn)
        self.turn.clear()


def versions(folder: Path, names: Sequence[str]) -> list[Path]:
    made = [folder / name for name in names]
    for each in made:
        each.mkdir()
    return made


async def test_a_link_is_followed_there_and_back(tmp_path: Path) -> None:
    old, new = versions(tmp_path, ["old", "new"])
    link, shelf = tmp_path / "current", Shelf()
    point(link, old)
    task = asyncio.create_task(VersionFollower(str(link), shelf.swap, poll_s=POLL_S).run())
    point(link, new)
    await shelf.waits()
    point(link, old)
    await shelf.waits()
    task.cancel()
    assert shelf.served == ["new", "old"]


async def test_a_version_that_cannot_be_loaded_is_tried_once_and_the_one_before_stays(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    old, bad, new = versions(tmp_path, ["old", "bad", "new"])
    link, shelf = tmp_path / "current", Shelf()
    point(link, old)
    task = asyncio.create_task(VersionFollower(str(link), shelf.swap, poll_s=POLL_S).run())
    point(link, bad)
    await shelf.waits()
    await asyncio.sleep(10 * POLL_S)
    assert shelf.tried == ["bad"]
    assert "nothing in it" in caplog.text
    assert str(old) in caplog.text
    point(link, new)
    await shelf.waits()
    task.cancel()
    assert shelf.served == ["new"]


async def test_a_link_that_points_nowhere_for_a_while_changes_nothing(tmp_path: Path) -> None:
    (old,) = versions(tmp_path, ["old"])
    link, shelf = tmp_path / "current", Shelf()
    point(link, old)
    task = asyncio.create_task(VersionFollower(str(link), shelf.swap, poll_s=POLL_S).run())
    link.unlink()
    await asyncio.sleep(5 * POLL_S)
    point(link, old)
    await asyncio.sleep(5 * POLL_S)
    task.cancel()
    assert shelf.tried == []


def test_what_is_no_link_is_not_replaced(tmp_path: Path) -> None:
    (old,) = versions(tmp_path, ["old"])
    (tmp_path / "current").mkdir()
    with pytest.raises(ArtifactError, match="no link"):
        point(tmp_path / "current", old)


async def test_a_ranker_that_cannot_be_loaded_leaves_the_one_that_ranks(tmp_path: Path) -> None:
    ranker = LocalRanker(load_ranker(RankerConfig()))
    with pytest.raises(ArtifactError):
        await ranker.swap(str(tmp_path))
    await ranker.swap(RankerConfig().recommender)


def test_item_vectors_of_another_width_take_the_place_of_those_before() -> None:
    loaded = load_retriever(RetrieverConfig(reranker=None), Settings().embedder)
    index, product_id = loaded.index, next(iter(loaded.behaviour.item_vectors()))
    index.put_factors({product_id: np.ones(3, dtype=np.float32) / np.sqrt(np.float32(3))}, dim=3)
    assert index.similarity([product_id], [product_id]).shape == (1, 1)
