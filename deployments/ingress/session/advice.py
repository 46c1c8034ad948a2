"""A session's recommendations: for who has just commented, and for the latest of them again when what is shown changes."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable

from starlette.websockets import WebSocketDisconnect

from deployments.ingress.session.around import Surroundings
from deployments.ingress.session.outbox import Outbox, told
from graphs.recommend import RecommendRequest
from livecart_client import wire
from models.types import ProductId, ViewerId

K = 5
MOST_WAITING = 32  # viewers; beyond, the longest waiting is left out until the next change or comment
LATELY_S = 300.0  # since a viewer's last comment


class Advice:
    """One list at a time. A viewer who waits already waits once, and gets what fits when it is their turn."""

    def __init__(self, around: Surroundings, out: Outbox, on_screen: Callable[[], tuple[ProductId, ...]]) -> None:
        self._around = around
        self._out = out
        self._on_screen = on_screen
        self._heard: OrderedDict[ViewerId, float] = OrderedDict()  # who commented when, the latest last
        self._due: OrderedDict[ViewerId, None] = OrderedDict()
        self._more = asyncio.Event()

    def heard(self, viewer_id: ViewerId) -> None:
        """A comment of this viewer was answered."""
        at_most = self._around.gateway.limits.recommended_viewers
        self._heard[viewer_id] = self._around.clock()
        self._heard.move_to_end(viewer_id)
        while len(self._heard) > at_most:
            self._heard.popitem(last=False)
        if at_most:
            self._want(viewer_id)

    def changed(self) -> None:
        """Something else is shown."""
        since_s = self._around.clock() - LATELY_S
        for viewer_id in [viewer_id for viewer_id, at_s in self._heard.items() if at_s >= since_s]:
            self._want(viewer_id)

    async def give(self) -> None:
        """Send what is due, until cancelled."""
        while True:
            await self._more.wait()
            self._more.clear()
            while self._due:
                viewer_id, _ = self._due.popitem(last=False)
                await self._recommend(viewer_id)

    def _want(self, viewer_id: ViewerId) -> None:
        self._due[viewer_id] = None
        while len(self._due) > MOST_WAITING:
            self._due.popitem(last=False)
        self._more.set()

    async def _recommend(self, viewer_id: ViewerId) -> None:
        gateway = self._around.gateway
        asked = RecommendRequest(viewer_id, self._around.room_id, K, context=self._on_screen())
        try:
            run = await gateway.run("recommend", asked, budget_s=gateway.limits.default_deadline_s)
            found = wire.RecommendReply.model_validate(run.output).model_dump()
            marks = {"degraded": run.degraded, "experiment": gateway.experiments.shown(run)}
            await self._out.send(wire.SessionRecommendations.model_validate(found | marks | {"viewer_id": viewer_id}))
        except WebSocketDisconnect:
            raise
        except Exception as error:  # noqa: BLE001  # whatever it is costs this list only
            await self._out.error(told(error))
