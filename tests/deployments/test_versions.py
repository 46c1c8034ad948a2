"""A link names the version that serves: it is followed, and a version that cannot be loaded changes nothing."""

import asyncio
import shutil
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from deployments.loading import load_candidates, load_ranker, load_retriever
from deployments.local import LocalRanker
from deployments.retrieval import LiveRetriever
from deployments.settings import RankerConfig, RetrieverConfig, Settings
from deployments.shop import LiveShop
from deployments.store import Store
from deployments.store.values import StoreOptions
from deployments.versions import VersionFollower, new_version, point, resolved
from graphs.recommend import RecommendNodes, RecommendRequest, recommend_graph
from models.artifacts import read_manifest, write_manifest
from models.demo.catalog import demo_products
from models.types import ArtifactError, ViewerId
from tests.deployments.store.examples import BY, event

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
        if name == "worse":
            raise KeyError("weights")
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
    task = asyncio.create_task(VersionFollower(str(link), shelf.swap, served=str(old), poll_s=POLL_S).run())
    point(link, new)
    await shelf.waits()
    point(link, old)
    await shelf.waits()
    task.cancel()
    assert shelf.served == ["new", "old"]


async def test_a_version_that_cannot_be_loaded_is_tried_once_and_the_one_before_stays(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    old, bad, worse, new = versions(tmp_path, ["old", "bad", "worse", "new"])
    link, shelf = tmp_path / "current", Shelf()
    point(link, old)
    task = asyncio.create_task(VersionFollower(str(link), shelf.swap, served=str(old), poll_s=POLL_S).run())
    point(link, bad)
    await shelf.waits()
    await asyncio.sleep(10 * POLL_S)
    assert shelf.tried == ["bad"]
    assert "nothing in it" in caplog.text
    assert str(old) in caplog.text
    point(link, worse)  # an error that nobody foresaw does not end the following
    await shelf.waits()
    assert "KeyError: 'weights'" in caplog.text
    point(link, new)
    await shelf.waits()
    task.cancel()
    assert shelf.served == ["new"]


async def test_a_link_that_points_nowhere_is_told_once_and_changes_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    old, new = versions(tmp_path, ["old", "new"])
    link, shelf = tmp_path / "current", Shelf()
    point(link, old)

    async def swap(folder: str) -> None:
        if folder == str(link):  # it points nowhere
            shelf.turn.set()
            raise ArtifactError(f"{folder} is not a folder")
        await shelf.swap(folder)

    task = asyncio.create_task(VersionFollower(str(link), swap, served=str(old), poll_s=POLL_S).run())
    new.rmdir()
    link.unlink()
    link.symlink_to(new)
    await shelf.waits()
    await asyncio.sleep(5 * POLL_S)
    assert caplog.text.count("is not a folder") == 1
    assert f"{link} names {new}, which cannot be served" in caplog.text
    new.mkdir()
    await shelf.waits()
    task.cancel()
    assert shelf.served == ["new"]


async def test_a_link_that_moved_while_the_first_version_was_loaded_is_followed(tmp_path: Path) -> None:
    old, new = versions(tmp_path, ["old", "new"])
    link, shelf = tmp_path / "current", Shelf()
    point(link, old)
    served = resolved(str(link))
    point(link, new)
    task = asyncio.create_task(VersionFollower(str(link), shelf.swap, served=served, poll_s=POLL_S).run())
    await shelf.waits()
    task.cancel()
    assert shelf.served == ["new"]


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


def test_a_version_with_values_that_are_none_is_not_loaded_though_its_sums_match(tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(RankerConfig().recommender, copy)
    data = read_manifest(copy)["data"]
    (copy / "rooms.json").write_text('{"watched_share": "x"}')
    write_manifest(copy, kind="recommender", schema=1, command="livecart train recommender", seed=7, data=data, metrics={})
    with pytest.raises(ArtifactError, match="watched_share"):
        load_candidates(str(copy))


def test_item_vectors_of_another_width_take_the_place_of_those_before() -> None:
    loaded = load_retriever(RetrieverConfig(reranker=None), Settings().embedder)
    index, product_id = loaded.index, next(iter(loaded.behaviour.item_vectors()))
    index.put_factors({product_id: np.ones(3, dtype=np.float32) / np.sqrt(np.float32(3))}, dim=3)
    assert index.similarity([product_id], [product_id]).shape == (1, 1)


async def test_requests_under_way_and_after_a_swap_are_all_answered(tmp_path: Path) -> None:
    """The recommend graph on the shipped models, asked without a pause while the link is pointed to and fro."""
    copy, link = tmp_path / "copy", tmp_path / "current"
    shutil.copytree(RankerConfig().recommender, copy)
    point(link, Path(RankerConfig().recommender))
    viewer = ViewerId("v1")
    async with await Store.open(f"sqlite:///{tmp_path / 'livecart.db'}", StoreOptions()) as store:
        await store.put_products(demo_products(), actor=BY)
        clicks = [replace(event(number), product_id=product.product_id) for number, product in enumerate(demo_products()[:5])]
        await store.append_events(clicks)
        loaded = load_retriever(RetrieverConfig(reranker=None, recommender=str(link)), Settings().embedder)
        retriever = await LiveRetriever(store, loaded, poll_s=0.05).start()
        shop = LiveShop(store, poll_s=0.05)
        await shop.start()
        ranker = LocalRanker(load_ranker(RankerConfig(recommender=str(link))))
        swaps, answered, swapped = Counter[str](), Counter[bool](), asyncio.Event()

        async def swap(folder: str) -> None:
            await ranker.swap(folder)
            await retriever.swap(folder)
            swaps[Path(folder).name] += 1
            swapped.set()

        graph = recommend_graph(RecommendNodes(shop, shop, retriever, ranker))

        async def caller() -> None:
            while True:
                run = await graph.run(RecommendRequest(viewer), budget_s=30.0)
                answered[bool(run.output.items) and not run.degraded] += 1

        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(caller()) for _ in range(4)]
            tasks.append(group.create_task(VersionFollower(str(link), swap, served=str(link.resolve()), poll_s=POLL_S).run()))
            for version in (copy, Path(RankerConfig().recommender), copy):
                swapped.clear()
                point(link, version)
                await until(swapped)
            for task in tasks:
                task.cancel()
        await shop.stop()
        await retriever.stop()
    assert swaps == {"copy": 2, "recommender": 1}
    assert set(answered) == {True}


def test_a_new_version_is_there_when_it_is_whole(tmp_path: Path) -> None:
    out = tmp_path / "versions" / "new"
    with new_version(out) as draft:
        (draft / "weights").write_text("w")
        assert not out.exists()
    assert (out / "weights").read_text() == "w"
    with pytest.raises(KeyboardInterrupt), new_version(tmp_path / "versions" / "stopped") as draft:
        raise KeyboardInterrupt
    assert [path.name for path in out.parent.iterdir()] == ["new"]


def test_of_two_versions_of_one_name_the_second_does_not_take_the_place_of_the_first(tmp_path: Path) -> None:
    out = tmp_path / "new"
    with pytest.raises(ArtifactError, match="is there by now") as refused, new_version(out) as second:
        (second / "weights").write_text("second")
        out.mkdir()
        (out / "weights").write_text("first")
    assert (out / "weights").read_text() == "first"
    assert (second / "weights").read_text() == "second"
    assert str(second) in str(refused.value)
