"""Which adapter stands behind which port, by the settings' placement."""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from ray.serve.handle import DeploymentHandle

from deployments.enrolment import keep_views_current
from deployments.loading import load_comprehension, load_eye, load_ranker, load_retriever, model_name
from deployments.local import LocalComprehension, LocalRanker, LocalSegmenter
from deployments.ports import External, Ports, TensorModels, TextModel
from deployments.remote.calls import ping_of
from deployments.remote.detector import CoalescedDetector
from deployments.remote.openai import RemoteOpenAI
from deployments.remote.postbox import Postbox
from deployments.remote.small import RemoteComprehension, RemoteRanker, RemoteRetriever
from deployments.remote.writer import RemoteWriter
from deployments.retrieval import LiveRetriever
from deployments.settings import Settings
from deployments.shop import LiveShop
from deployments.store import Store
from deployments.versions import VersionFollower, resolved
from models.language.openai_types import ModelCard
from models.vision.embedder_info import embedder_info

if TYPE_CHECKING:  # brings its client, which takes half a second to import
    from deployments.triton.detector import TritonDetector
    from deployments.triton.ranker import TritonRanker

# Which nodes ask which model system: the rest is the ingress's own work.
ASKS: Mapping[str, tuple[str, ...]] = {
    "detector": ("recognize.detect",),
    "writer": ("answer.generate", "script.write", "copy.write"),
    "retriever": (
        "recognize.match",
        "answer.subject",
        "answer.passages",
        "script.asked",
        "analyze.passages",
        "recommend.by_behaviour",
        "recommend.by_content",
        "recommend.by_taste",
        "rooms.rank",
    ),
    "ranker": ("recommend.rank",),
    "comprehension": ("answer.intent", "answer.sentiment"),
}

Handles = Mapping[str, DeploymentHandle]


@dataclass(frozen=True, slots=True)
class Wiring:
    """Filled ports, and what has to be stopped with them."""

    ports: Ports
    placements: Mapping[str, str]  # `graph.node` -> deployment, of the nodes that leave this process
    versions: Mapping[str, VersionFollower]  # of the artifacts that this process loads and swaps, by part
    _begun: AsyncExitStack

    @classmethod
    async def start(cls, settings: Settings, store: Store, handles: Handles) -> Self:
        """Load what is fused, copy the shop, wrap the handles of the rest. A start that fails ends what it had begun."""
        async with AsyncExitStack() as begun:
            shop = LiveShop(store, poll_s=settings.store.follow_every_s)
            begun.push_async_callback(shop.stop)
            await shop.start()
            external: dict[str, External] = {}
            versions: dict[str, VersionFollower] = {}
            detector = await _detector(settings, handles, external)
            writer, postbox = RemoteWriter(handles["writer"]), await Postbox().open()
            begun.push_async_callback(postbox.close)
            retriever = await _retriever(settings, store, handles, versions)
            if isinstance(retriever, LiveRetriever):
                begun.push_async_callback(retriever.stop)
            ranker = await _ranker(settings, handles, external, versions)
            for port in external.values():
                begun.push_async_callback(port.aclose)
            embedder = embedder_info(settings.embedder)
            ports = Ports(
                catalog=shop,
                viewers=shop,
                detector=detector,
                embedder=detector,
                pictures=retriever,
                knowledge=retriever,
                candidates=retriever,
                rooms=retriever,
                ranker=ranker,
                comprehension=await _comprehension(settings, handles),
                segmenter=LocalSegmenter(),
                writer=writer,
                openai=RemoteOpenAI(handles["writer"], postbox),
                texts=_text_model(settings, retriever),
                tensors=TensorModels(embedder.dim, detector.categories, ranker.score),
                metrics_text=writer.metrics_text,
                pings=_pings(handles, retriever, external) | {"Ingress": shop.ping},
            )
            works = {f"follow {part}": version.run() for part, version in versions.items()}
            for name, work in {**works, "keep views current": keep_views_current(store, detector, embedder.tag)}.items():
                begun.push_async_callback(cancelled, asyncio.create_task(work, name=name))
            return cls(ports, placements_of(handles, external), versions, begun.pop_all())

    async def stop(self) -> None:
        """End the background tasks; the ports must not be used afterwards."""
        await self._begun.aclose()


def placements_of(handles: Handles, external: Mapping[str, External]) -> dict[str, str]:
    """`graph.node` -> deployment, or Triton, for `/v1/graphs`."""
    deployed = {node: name.capitalize() for name in handles for node in ASKS[name]}
    return deployed | {node: "Triton" for name in external for node in ASKS[name]}


async def cancelled(task: "asyncio.Task[None]") -> None:
    """Cancel a task of ours and wait for its end."""
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


def _text_model(settings: Settings, retriever: RemoteRetriever | LiveRetriever) -> TextModel:
    root = settings.retriever.text_embedder
    return TextModel(ModelCard(model_name(root), root, created=int(time.time())), retriever.embed_texts)


async def _detector(settings: Settings, handles: Handles, external: dict[str, External]) -> "CoalescedDetector | TritonDetector":
    if settings.placement.detector == "triton":
        from deployments.triton.build import triton_detector  # noqa: PLC0415  # as above

        asked = external["detector"] = await triton_detector(settings)
        return asked
    if "detector" in handles:
        return CoalescedDetector.remote(handles["detector"], settings.coalesce)
    return CoalescedDetector.local(await asyncio.to_thread(load_eye, settings.detector, settings.embedder), settings.coalesce)


async def _retriever(
    settings: Settings, store: Store, handles: Handles, versions: dict[str, VersionFollower]
) -> RemoteRetriever | LiveRetriever:
    if "retriever" in handles:
        return RemoteRetriever(handles["retriever"], "Retriever", settings.coalesce)
    link = settings.retriever.recommender
    served = resolved(link)  # before it is loaded: the link may move meanwhile
    config = settings.retriever.model_copy(update={"recommender": served})
    loaded = await asyncio.to_thread(load_retriever, config, settings.embedder, settings.home)
    live = await LiveRetriever(store, loaded, poll_s=settings.store.follow_every_s).start()
    versions["candidates"] = VersionFollower(link, live.swap, served=served)
    return live


async def _ranker(
    settings: Settings, handles: Handles, external: dict[str, External], versions: dict[str, VersionFollower]
) -> "LocalRanker | RemoteRanker | TritonRanker":
    if "ranker" in handles:
        return RemoteRanker(handles["ranker"], "Ranker", settings.coalesce)
    link = settings.ranker.recommender
    served = resolved(link)  # as above
    ranker: LocalRanker | TritonRanker
    if settings.placement.ranker == "triton":
        from deployments.triton.build import triton_ranker  # noqa: PLC0415  # as above

        ranker = external["ranker"] = await triton_ranker(settings, served)
    else:
        ranker = LocalRanker(await asyncio.to_thread(load_ranker, settings.ranker.model_copy(update={"recommender": served})))
    versions["ranker"] = VersionFollower(link, ranker.swap, served=served)
    return ranker


async def _comprehension(settings: Settings, handles: Handles) -> LocalComprehension | RemoteComprehension:
    if "comprehension" in handles:
        return RemoteComprehension(handles["comprehension"], "Comprehension", settings.coalesce)
    return LocalComprehension(await asyncio.to_thread(load_comprehension, settings.comprehension))


def _pings(
    handles: Handles, retriever: RemoteRetriever | LiveRetriever, external: Mapping[str, External]
) -> dict[str, Callable[[], Awaitable[None]]]:
    pings = {name.capitalize(): ping_of(handle, name.capitalize()) for name, handle in handles.items()}
    pings |= {name.capitalize(): port.ping for name, port in external.items()}
    return pings | ({"Retriever": retriever.ping} if isinstance(retriever, LiveRetriever) else {})
