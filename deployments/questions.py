"""Questions on their way into the store: noted beside the answer, never before it."""

import asyncio
import logging
from collections import deque
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from deployments.settings import QuestionSettings
from deployments.store import Asking, Store
from graphs.answer import AnswerReply, AnswerRequest
from graphs.answering.phrases import PASSED_ON
from graphs.errors import Unavailable
from graphs.moment import MomentReply, MomentRequest
from graphs.reading.slots import detect_language
from models.types import ProductId

AT_ONCE = 500  # askings in one transaction
RETRY_S = 1.0  # after a store that was out of reach
PRUNE_EVERY_S = 3_600.0
MOST_CHARACTERS = 2_000  # of a question or an answer that is kept

_log = logging.getLogger("livecart.questions")


def asking_of(request: object, output: object) -> Asking | None:
    """What an editor should hear of a finished graph: a question declined, passed on to the host, or answered by the LLM."""
    if isinstance(output, AnswerReply) and isinstance(request, AnswerRequest):
        question, language, reply = request.question, request.language, output
    elif isinstance(output, MomentReply) and isinstance(request, MomentRequest) and output.answer is not None:
        question, language, reply = request.comment or "", None, output.answer
    else:
        return None
    is_from_llm = reply.source == "llm" and not reply.abstained
    if not (reply.abstained or is_from_llm or reply.intent.label in PASSED_ON):
        return None
    return Asking(
        question=question[:MOST_CHARACTERS],
        at=datetime.now(UTC),
        source="llm" if is_from_llm else "none",
        answer=reply.answer[:MOST_CHARACTERS] if is_from_llm else None,
        language=language or detect_language(question),
        room_id=request.room_id,
        product_id=_subject_of(request, reply),
        viewer_id=request.viewer_id,
    )


def _subject_of(request: AnswerRequest | MomentRequest, reply: AnswerReply) -> ProductId | None:
    named = request.product_id if isinstance(request, AnswerRequest) else None
    return named or next(iter(reply.product_ids), None)


class QuestionLog:
    """Askings that wait for their transaction, at most `max_waiting`; what is lost is counted and logged.

    `run` writes them as they come; a store that is out of reach is tried again.
    """

    def __init__(self, store: Store, limits: QuestionSettings) -> None:
        self.limits = limits
        self.lost = 0  # askings that were never written
        self._store = store
        self._waiting: deque[Asking] = deque()
        self._some_wait = asyncio.Event()

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    def note(self, asking: Asking) -> None:
        """Returns at once. When too many wait the oldest is lost."""
        self._waiting.append(asking)
        self._drop_surplus()
        self._some_wait.set()

    async def flush(self) -> None:
        """Write all that waits. Raises Unavailable, and keeps what is not written."""
        while self._waiting:
            batch = [self._waiting.popleft() for _ in range(min(AT_ONCE, len(self._waiting)))]
            try:
                dropped = await self._store.note_questions(batch, max_open=self.limits.max_open)
            except Unavailable:
                self._put_back(batch)
                raise
            except Exception as error:  # noqa: BLE001  # a batch that cannot be stored must not keep the later ones out
                self._lose(len(batch), str(error))
            else:
                if dropped:
                    _log.info("%d open questions were dropped: at most %d are kept", dropped, self.limits.max_open)

    async def prune(self) -> None:
        """Forget what nobody has asked for longer than questions are kept. Raises Unavailable."""
        forgotten = await self._store.prune_questions(datetime.now(UTC) - timedelta(days=self.limits.keep_days))
        if forgotten:
            _log.info("%d questions were forgotten: nobody asked them for %g days", forgotten, self.limits.keep_days)

    async def run(self) -> None:
        """Write and prune until cancelled."""
        prune_at_s = 0.0
        loop = asyncio.get_running_loop()
        while True:
            self._some_wait.clear()
            try:
                await self.flush()
                if loop.time() >= prune_at_s:
                    await self.prune()
                    prune_at_s = loop.time() + PRUNE_EVERY_S
            except Unavailable as error:
                _log.warning("%d questions wait for the store: %s", self.waiting, error)
                await asyncio.sleep(RETRY_S)
            else:
                await self._wait_for_some(prune_at_s - loop.time())

    async def _wait_for_some(self, at_most_s: float) -> None:
        try:
            async with asyncio.timeout(at_most_s):
                await self._some_wait.wait()
        except TimeoutError:
            return

    def _put_back(self, batch: Iterable[Asking]) -> None:
        self._waiting.extendleft(reversed(list(batch)))
        self._drop_surplus()

    def _drop_surplus(self) -> None:
        surplus = len(self._waiting) - self.limits.max_waiting
        for _ in range(surplus):
            self._waiting.popleft()
        if surplus > 0:
            self._lose(surplus, f"{self.limits.max_waiting} wait already")

    def _lose(self, count: int, reason: str) -> None:
        self.lost += count
        _log.warning("%d questions are lost: %s", count, reason)
