"""OpenAI's protocol behind a handle: the body goes in as it came, what comes back is sent as it is."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from contextlib import aclosing

from ray.serve.handle import DeploymentHandle

from deployments.remote.calls import answered
from deployments.remote.errors import CallerGone, translated
from deployments.remote.postbox import Address, Courier, Postbox, UnreachableBox
from graphs.errors import ContextLengthExceeded, DeadlineExceeded, InvalidRequest, LivecartError, ModelNotFound, Unavailable
from models.language.openai_types import Kind, ModelCard, OpenAIRefusal, Usage

DEPLOYMENT = "Writer"
CARDS_S = 2.0  # then the cards of before are told: a list of models does not wait for a restart
_GRACE_S = 1.0  # the replica keeps the deadline; this is for one that hangs

Pieces = AsyncGenerator[str | Usage, None]


class RemoteOpenAI:
    def __init__(self, handle: DeploymentHandle, postbox: Postbox) -> None:
        self._handle = handle
        self._streaming = handle.options(stream=True)
        self._postbox = postbox
        self._known: list[ModelCard] = []  # by the writer, when it was last asked
        self._is_near = True  # until a writer says that it cannot reach this process

    async def cards(self) -> list[ModelCard]:
        """The writer first, then its adapters; as they were last known while no replica answers. Raises Unavailable if they never were."""
        try:
            async with asyncio.timeout(CARDS_S) as clock:
                self._known = await answered(self._handle.openai_cards.remote(), DEPLOYMENT)
        except (TimeoutError, CallerGone, Unavailable) as error:
            if isinstance(error, CallerGone) and not clock.expired():
                raise
            if not self._known:
                raise Unavailable(
                    f"no replica of `{DEPLOYMENT}` has told yet which models it serves; GET /readyz says when it can"
                ) from None
        return self._known

    async def generate(self, kind: Kind, body: bytes, *, stream: bool, timeout_s: float) -> AsyncGenerator[bytes | Usage, None]:
        """Whole server-sent events, or one JSON text, as they are sent to the caller; last, what it took.

        Closing the generator aborts the generation in the engine. Raises LivecartError, also in the middle.
        """
        if not stream:
            content, usage = await self._call(kind, body, timeout_s, None)
            yield content
            yield usage
            return
        generate = self._to_postbox if self._is_near else self._over_ray
        try:
            async with aclosing(generate(kind, body, timeout_s)) as pieces:
                async for piece in pieces:
                    yield piece
        except UnreachableBox:
            self._is_near = False
            async with aclosing(self._over_ray(kind, body, timeout_s)) as pieces:
                async for piece in pieces:
                    yield piece

    async def _to_postbox(self, kind: Kind, body: bytes, timeout_s: float) -> AsyncGenerator[bytes | Usage, None]:
        with self._postbox.box() as box:
            call = asyncio.create_task(self._call(kind, body, timeout_s, box.address), name="generate to a postbox")
            call.add_done_callback(box.call_ended)
            try:
                async for piece in box:
                    yield piece
                _, usage = await call
                yield usage
            finally:
                call.cancel()
                with contextlib.suppress(asyncio.CancelledError, UnreachableBox, LivecartError):
                    await call

    async def _over_ray(self, kind: Kind, body: bytes, timeout_s: float) -> AsyncGenerator[bytes | Usage, None]:
        """For a writer on another machine: an item of Ray's for every piece."""
        response = self._streaming.openai_stream.remote(kind, body, timeout_s)
        finished = False
        try:
            async for piece in response:
                yield piece
            finished = True
        except Exception as error:
            raise _spoken(translated(error, DEPLOYMENT)) from error
        finally:
            if not finished:
                response.cancel()

    async def _call(self, kind: Kind, body: bytes, timeout_s: float, reply_to: Address | None) -> tuple[bytes, Usage]:
        try:
            async with asyncio.timeout(timeout_s + _GRACE_S):
                reply: tuple[bytes, Usage] = await answered(self._handle.openai.remote(kind, body, timeout_s, reply_to), DEPLOYMENT)
        except OpenAIRefusal as refusal:
            raise _spoken(refusal) from None
        except TimeoutError:
            raise DeadlineExceeded(f"`{DEPLOYMENT}` did not answer in time") from None
        return reply


def _spoken(error: BaseException) -> BaseException:
    return _of_refusal(error) if isinstance(error, OpenAIRefusal) else error


def _of_refusal(refusal: OpenAIRefusal) -> LivecartError:
    if refusal.status == 404:
        return ModelNotFound(refusal.message, param=refusal.param)
    if refusal.status >= 500 and refusal.status != 501:
        return Unavailable(refusal.message)
    kind = ContextLengthExceeded if refusal.is_too_long else InvalidRequest
    return kind(refusal.message, param=refusal.param)


# --- in the replica ----------------------------------------------------------------------------------------------------


async def delivered(pieces: Pieces, courier: Courier, reply_to: Address | None) -> tuple[bytes, Usage]:
    """Run a generation whose pieces go to `reply_to`, or all come back when nobody waits for them there."""
    delivery = await courier.to(reply_to) if reply_to is not None else None
    kept: list[bytes] = []
    usage = Usage()
    async with aclosing(pieces):
        async for piece in pieces:
            if isinstance(piece, Usage):
                usage = piece
            elif delivery is not None:
                delivery.post(piece.encode())
            else:
                kept.append(piece.encode())
    if delivery is not None:
        delivery.complete()
    return b"".join(kept), usage


async def encoded(pieces: Pieces) -> AsyncGenerator[bytes | Usage, None]:
    async with aclosing(pieces):
        async for piece in pieces:
            yield piece if isinstance(piece, Usage) else piece.encode()
