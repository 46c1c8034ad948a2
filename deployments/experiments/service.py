"""Experiments of one ingress process: choosing variants, noting exposures, moving weights, reading results."""

import asyncio
import contextlib
import hashlib
import logging
import random
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from types import MappingProxyType
from typing import Any

from deployments.experiments.exposures import ExposureLog
from deployments.experiments.results import ExperimentResult, configured_weights, next_weights, result
from deployments.settings import ExperimentConfig
from deployments.store import Store, VariantSums
from graphs.errors import LivecartError, NotFound, Unavailable
from graphs.flow import Choose, Run
from graphs.flow.splitting import sticky_index
from graphs.recommend import Exposure
from models.types import ViewerId

LOOK_UP_S = 0.25  # at most, for a variant that a viewer was given before
WAIT_S = 5.0  # for sums; they go on being made
LOOK_EVERY_S = 5.0  # for weights that another replica has written
TALLY_EVERY_S = 120.0
KEEP_S = 5.0  # sums that were just made
REST = 10.0  # sums are made again after this many times the time that they took

_log = logging.getLogger("livecart.experiments")


@dataclass(frozen=True, slots=True)
class Sums:
    of: list[VariantSums]
    at: datetime
    until_s: float  # on the loop's clock


class Experiments:
    """`run` belongs to the process and writes exposures and weights; the rest is called while serving."""

    def __init__(self, store: Store) -> None:
        self.exposures = ExposureLog(store)
        self._store = store
        self._configs: Mapping[str, ExperimentConfig] = MappingProxyType({})
        self._graphs: dict[str, str] = {}  # experiment -> its graph; of former settings too: their requests may still be under way
        self._moved: dict[str, tuple[int, Mapping[str, float]]] = {}  # experiment -> period, weights
        self._sums: dict[str, Sums] = {}
        self._making: dict[str, asyncio.Task[Sums]] = {}

    def apply(self, configs: Mapping[str, ExperimentConfig]) -> None:
        """Results and weights are of these settings from now on. Who gets what is settled by those that a graph was built from."""
        self._configs = configs
        self._graphs |= {name: config.graph for name, config in configs.items()}

    def chooser(self, name: str, config: ExperimentConfig) -> Choose:
        """Assigns by this `config` for good, so that requests under way end on the variants that their graph has."""
        return partial(self.choose, name, config)

    async def choose(self, name: str, config: ExperimentConfig, request: object) -> str | None:
        """The variant of the request's viewer, noted as an exposure; None without a viewer, and for viewers who take no part."""
        viewer: ViewerId | None = getattr(request, "viewer_id", None)
        if viewer is None or not takes_part(name, config, viewer):
            return None
        held = await self._given(name, viewer) if config.allocation == "thompson" else None
        variant = held if held in config.variants else draw(name, self.weights(name, config), viewer)
        self.exposures.note(name, variant, viewer)
        return variant

    def weights(self, name: str, config: ExperimentConfig) -> Mapping[str, float]:
        """The share of new viewers that each variant gets now."""
        _, moved = self._moved.get(name, (0, MappingProxyType({})))
        is_current = config.allocation == "thompson" and moved.keys() == config.variants.keys()
        return {label: moved[label] for label in config.variants} if is_current else configured_weights(config)

    def shown(self, run: Run[Any]) -> Exposure | None:
        """The experiment that an answer names: the one on its own graph, else on `recommend`, else any other within."""
        graphs = {name: self._graphs[name] for name in run.variants if name in self._graphs}
        first = min(graphs, key=lambda name: (graphs[name] != run.graph, graphs[name] != "recommend", name), default=None)
        return None if first is None else Exposure(first, run.variants[first])

    async def results(self) -> list[ExperimentResult]:
        """Of every experiment in the settings. Raises Unavailable."""
        return list(await asyncio.gather(*map(self.result, self._configs)))

    async def result(self, name: str) -> ExperimentResult:
        """Some seconds old, or as old as the latest sums where making new ones takes long. Raises NotFound, Unavailable."""
        config = self._configs.get(name)
        if config is None:
            known = ", ".join(self._configs) or "none"
            raise NotFound(f"no experiment `{name}`; the settings of the ingress have {known}", param="name")
        try:
            async with asyncio.timeout(WAIT_S):
                sums = await self._sums_of(name)
        except TimeoutError:
            if name not in self._sums:
                raise Unavailable(f"what the viewers of experiment `{name}` did is still being added up; ask again in a minute") from None
            sums = self._sums[name]
        return result(name, config, self.weights(name, config), sums.of, sums.at)

    async def run(self) -> None:
        """Write exposures, move weights, and keep the tallies of enabled experiments near, until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self.exposures.run(), name="note exposures")
            group.create_task(self._move_weights(), name="move weights")
            group.create_task(self._keep_tallies(), name="keep tallies")

    async def close(self) -> None:
        """Write what waits, as far as the store is in reach; for when `run` has ended."""
        for making in list(self._making.values()):
            making.cancel()
            with contextlib.suppress(asyncio.CancelledError, LivecartError):
                await making
        with contextlib.suppress(LivecartError):
            await self.exposures.flush()

    async def move_weights(self, name: str, *, now_s: float) -> None:
        """Take over this period's weights, or make them if no replica has. Raises Unavailable."""
        config = self._configs[name]
        period = int(now_s // config.reallocate_every_s)
        held = await self._store.allocation(name)
        if held is None or held.period < period:
            sums = await self._sums_of(name)
            held = await self._store.allocate(name, period, next_weights(config, sums.of, seed=seed_of(name, period)))
        self._moved[name] = held.period, held.weights

    async def _move_weights(self) -> None:
        while True:
            await asyncio.sleep(LOOK_EVERY_S * random.uniform(0.8, 1.2))  # replicas seldom make the same sums at once
            for name, config in self._configs.items():
                if config.enabled and config.allocation == "thompson":
                    try:
                        await self.move_weights(name, now_s=time.time())
                    except Exception as error:  # noqa: BLE001  # the weights of before go on; the next round tries again
                        _log.warning("the weights of experiment %s stay: %s", name, error)

    async def _keep_tallies(self) -> None:
        """Who asks for results then waits for what a few minutes brought, and not for what weeks did."""
        while True:
            await asyncio.sleep(TALLY_EVERY_S * random.uniform(0.8, 1.2))
            for name in [name for name, config in self._configs.items() if config.enabled]:
                with contextlib.suppress(Unavailable):  # the next round counts more
                    await self._store.tally(name)

    async def _given(self, name: str, viewer: ViewerId) -> str | None:
        """What the viewer was given first; None when that is nothing, or cannot be found out in time."""
        remembered = self.exposures.variant(name, viewer)
        if remembered is not None:
            return remembered
        try:
            async with asyncio.timeout(LOOK_UP_S):
                held = await self._store.exposure(name, viewer)
        except (TimeoutError, Unavailable):
            return None
        if held is not None:
            self.exposures.remember(name, viewer, held)
        return held

    async def _sums_of(self, name: str) -> Sums:
        """Made once for all who ask meanwhile, and to the end even when they have left."""
        kept = self._sums.get(name)
        if kept is not None and asyncio.get_running_loop().time() < kept.until_s:
            return kept
        making = self._making.get(name)
        if making is None:
            making = self._making[name] = asyncio.create_task(self._make_sums(name), name=f"sums of {name}")
            making.add_done_callback(partial(self._made, name))
        return await asyncio.shield(making)

    def _made(self, name: str, making: "asyncio.Task[Sums]") -> None:
        self._making.pop(name, None)
        if not making.cancelled() and making.exception() is not None:
            _log.warning("the sums of experiment %s could not be made: %s", name, making.exception())

    async def _make_sums(self, name: str) -> Sums:
        clock = asyncio.get_running_loop().time
        began_s, at = clock(), datetime.now(UTC)
        found = await self._store.experiment_sums(name)
        took_s = clock() - began_s
        made = self._sums[name] = Sums(found, at, clock() + max(KEEP_S, REST * took_s))
        return made


def takes_part(name: str, config: ExperimentConfig, viewer: ViewerId) -> bool:
    return config.traffic >= 1 or sticky_index(viewer, f"{name}/traffic", [config.traffic, 1.0 - config.traffic]) == 0


def draw(name: str, weights: Mapping[str, float], viewer: ViewerId) -> str:
    """The variant of a viewer: the same in every process and after every restart, as often as the weights say."""
    return list(weights)[sticky_index(viewer, name, list(weights.values()))]


def seed_of(name: str, period: int) -> int:
    return int.from_bytes(hashlib.blake2b(f"{name}\0{period}".encode(), digest_size=8).digest())
