"""The audit trail: who asked for a change, when, of what, and how it ended. JSON lines, a file a day.

The store keeps which rows each request changed, in the same transaction (`Store.audit`); this has the requests, the refused ones and
those that change no row included. The request id joins the two.
"""

import logging
import os
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson

MOST_IDS = 20  # of a bulk request that a line holds; the store's log has all
log = logging.getLogger("livecart.audit")


@dataclass(frozen=True, slots=True)
class AuditLine:
    actor: str  # name of the key
    role: str  # of the key
    action: str  # method and route, such as `PUT /v1/products/{product_id}`, or `keys changed`
    ids: Sequence[str]  # of what was asked for, the first MOST_IDS; never a viewer's, which an erasure has to outlive
    count: int  # of all ids
    request_id: str | None
    status: int | None
    outcome: str  # done, refused or failed
    at: datetime


Trail = Callable[[AuditLine], None]


def unheard(line: AuditLine) -> None:
    """A trail that nobody keeps."""


def outcome_of(status: int) -> str:
    """
    >>> outcome_of(201), outcome_of(403), outcome_of(503)
    ('done', 'refused', 'failed')
    """
    return "done" if status < 400 else "refused" if status < 499 else "failed"


class AuditFiles:
    """Appends to `<folder>/<day>.jsonl`, in UTC; files of days longer ago than `keep_days` are removed.

    Each line is one write in append mode, so that several processes of a machine share a file. A line that cannot be written is told to
    the log and counted: the change it tells of was made by then.
    """

    def __init__(self, folder: Path, *, keep_days: int) -> None:
        self._folder = folder
        self._keep_days = keep_days
        self._day = ""
        self._file = -1
        self.lost = 0

    def __call__(self, line: AuditLine) -> None:
        text = orjson.dumps(asdict(line)) + b"\n"
        try:
            self._turn_to(line.at)
            os.write(self._file, text)
        except OSError:
            self.lost += 1
            log.exception("a line of the audit trail was lost: %s", text.decode("utf-8"))

    def close(self) -> None:
        if self._file >= 0:
            os.close(self._file)
        self._file, self._day = -1, ""

    def _turn_to(self, at: datetime) -> None:
        day = f"{at.astimezone(UTC):%Y-%m-%d}"
        if day == self._day:
            return
        self.close()
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._file = os.open(self._folder / f"{day}.jsonl", os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._day = day
        oldest = f"{at.astimezone(UTC) - timedelta(days=self._keep_days):%Y-%m-%d}"
        for file in self._folder.glob("????-??-??.jsonl"):
            if file.stem < oldest:
                file.unlink(missing_ok=True)
