"""A session's frames: the newest is looked at, what is shown is followed, changes are reported and displays kept."""

import asyncio
import secrets
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from deployments.ingress.session.around import Surroundings
from deployments.ingress.session.displays import DisplayLog
from deployments.ingress.session.inbox import Frame, Newest
from deployments.ingress.session.outbox import Outbox, told
from graphs.errors import LivecartError, NotFound
from graphs.recognize import RecognizeReply, RecognizeRequest, SeenProduct
from graphs.watching.displays import RENEW_S, DisplayWriter
from graphs.watching.watcher import Update, Watch
from livecart_client import wire
from models.types import ProductId

SILENCE_S = 10.0  # without a frame that could be looked at nothing counts as shown any more
SURE_LOOKS = 2  # at what a resumed session sees before it takes back what it told


class Eye:
    """Looks at one frame at a time. `on_change` hears that something else is shown."""

    def __init__(self, around: Surroundings, out: Outbox, on_change: Callable[[], None]) -> None:
        self._around = around
        self._out = out
        self._on_change = on_change
        self._started_s = around.clock()
        self._frames = Newest()
        self._watch = Watch()
        self._seen_s = 0.0  # when the newest frame came that could be looked at
        self._renewed_s = 0.0
        self._size = wire.FrameSize(width=0, height=0)
        self._log = DisplayLog(around.gateway.store)
        self._writer = DisplayWriter(around.room_id, secrets.token_hex(8), datetime.now(UTC))
        self._looks = 0
        self._told = frozenset[ProductId]()  # what the caller knows to be shown
        self.on_screen: tuple[ProductId, ...] = ()  # products shown now, the one nearest to the camera first

    @property
    def dropped(self) -> int:
        """Frames that a newer one replaced."""
        return self._frames.dropped

    def keep(self, content: bytes | str) -> None:
        """Have a picture, or base64 of it, looked at unless a newer one comes before its turn."""
        if self._frames.put(Frame(content, self._now_s())):
            self._around.telemetry.session_frame("dropped")

    async def resume(self) -> None:
        """Tell what the room was seen to show a moment ago."""
        shown = self._around.memory.shown(within_s=SILENCE_S)
        if shown is not None and shown.products:
            self.on_screen = _best_of(shown.products)
            self._told = frozenset(self.on_screen)
            await self._out.send(shown.model_copy(update={"dropped": 0}))

    async def look(self) -> None:
        """Look at what is kept, until cancelled. Raises NotFound when the room is not known any more."""
        while True:
            await self._look_at_next()
            if self._told and self._is_silent():
                await self._report(self._watch.close(self._now_s()))

    async def write(self) -> None:
        """Write display events, until cancelled."""
        await self._log.run()

    async def close(self) -> None:
        """End all displays, and see that it is written. For when `look` and `write` have ended."""
        self._note(self._watch.close(self._now_s()))
        await self._log.flush()

    def _now_s(self) -> float:
        return self._around.clock() - self._started_s

    async def _look_at_next(self) -> None:
        """Wait for a frame and a turn. Returns without when there was none for so long that what is shown may have changed."""
        try:
            async with asyncio.timeout(SILENCE_S if self._told else None):
                await self._frames.wait()
        except TimeoutError:
            return
        try:
            frame, seen = await self._recognised()
        except Exception as error:  # noqa: BLE001  # whatever it is costs this frame only
            await self._failed(told(error))
            return
        self._around.telemetry.session_frame("seen")
        self._size = wire.FrameSize.model_validate(seen.frame)
        self._seen_s = frame.came_at_s
        self._looks += 1
        await self._report(self._watch.see(seen, frame.came_at_s))

    async def _recognised(self) -> tuple[Frame, RecognizeReply]:
        """The newest frame when its turn has come, looked at. Nothing is sent meanwhile: a slow reader must not keep a turn."""
        gateway = self._around.gateway
        in_doubt = self._looks > 0 and not self._watch.is_settled
        async with self._around.turns.turn(at_most=gateway.limits.max_frames, in_doubt=in_doubt):
            frame = self._frames.take()
            asked = RecognizeRequest(await frame.picture(), self._around.room_id)
            run = await gateway.run("recognize", asked, budget_s=gateway.limits.default_deadline_s)
            return frame, run.output

    async def _failed(self, error: LivecartError) -> None:
        self._around.telemetry.session_frame("failed")
        if isinstance(error, NotFound) and error.param == "room_id":
            raise error
        await self._out.error(error)

    async def _report(self, update: Update) -> None:
        """Tell the caller when something else is shown than what they were told."""
        self._note(update)
        shown = frozenset(showing.product_id for showing in self._watch.showing)
        is_sure = self._looks >= SURE_LOOKS or self._is_silent()
        if is_sure or update.changed:
            self.on_screen = _best_of(update.products)
        if not update.changed and (shown == self._told or not is_sure):
            if self._told:
                self._around.memory.still_there()
            return
        self._told = shown
        products = [wire.SeenProduct.model_validate(seen) for seen in update.products]
        message = wire.SessionProducts(frame=self._size, products=products, dropped=self.dropped)
        self._around.memory.show(message)
        self._on_change()
        await self._out.send(message)

    def _is_silent(self) -> bool:
        return self._now_s() - self._seen_s >= SILENCE_S

    def _note(self, update: Update) -> None:
        events = [*map(self._writer.begun, update.began), *map(self._writer.ended, update.shown)]
        now_s = self._now_s()
        if now_s - self._renewed_s >= RENEW_S:
            self._renewed_s = now_s
            events += [self._writer.still_on(showing, now_s) for showing in self._watch.showing if showing not in update.began]
        if events:
            self._log.note(events)


def _best_of(products: Sequence[SeenProduct | wire.SeenProduct]) -> tuple[ProductId, ...]:
    return tuple(dict.fromkeys(ProductId(seen.matches[0].product_id) for seen in products if seen.matches))
