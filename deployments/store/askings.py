"""What was asked, merged into questions: the same words about the same product are one question, however often and by whomever."""

import re
import unicodedata
from collections.abc import Collection, Sequence
from datetime import timedelta
from hashlib import sha256

from sqlalchemy import Connection, Table, delete, func, insert, select, update

from deployments.store.journal import lock_counter, move_counter
from deployments.store.queries import chunks, rows_with, upsert
from deployments.store.rows import Row, require_storable
from deployments.store.schema import askers, events, question_rooms, questions
from deployments.store.values import Asking
from models.types import ProductId, ViewerId

MOST_ASKERS = 10  # a question that so many viewers have asked is nobody's: who they were is forgotten
SETTLING_S = 5.0  # a question asked so soon after its answer may have met a replica that did not know it yet
NEWEST_SHARE = 0.1  # of the open questions: these are not dropped for being asked once
_SILENT = frozenset({"Zs", "Zl", "Zp", "Pc", "Pd", "Ps", "Pe", "Pi", "Pf", "Po", "So", "Sk", "Cc", "Cf"})
_TELLING = frozenset("%#&")
_KEYS_AT_ONCE = 1_000


def question_key(text: str) -> str:
    """What two spellings of one question have in common: without case, width, spacing, punctuation and emoji.

    Punctuation between digits and signs that change the meaning stay.

    >>> question_key("能 机洗 吗？？"), question_key("Is it 1.5 L, or 15％?")
    ('能机洗吗', 'isit1.5lor15%')
    """
    plain = re.sub(r"\s+", " ", unicodedata.normalize("NFKC", text).casefold().replace("~", " ")).strip()
    kept = (c for place, c in enumerate(plain) if _is_telling(plain, place))
    return "".join(kept) or plain


def _is_telling(text: str, place: int) -> bool:
    if text[place] in _TELLING or unicodedata.category(text[place]) not in _SILENT:
        return True
    return text[place - 1 : place].isdecimal() and text[place + 1 : place + 2].isdecimal()


def digest_of(question: str, product_id: ProductId | None) -> bytes:
    return sha256(f"{product_id or ''}\0{question_key(question)}".encode()).digest()


def asking_row(asking: Asking) -> Row:
    """The row of a question that is asked for the first time, without its number. Raises ValueError for text that cannot be stored."""
    require_storable(asking.question, asking.answer, asking.room_id, asking.product_id, asking.viewer_id)
    return {
        "digest": digest_of(asking.question, asking.product_id),
        "question": asking.question,
        "language": asking.language,
        "product_id": asking.product_id,
        "source": asking.source,
        "answer": asking.answer,
        "status": "open",
        "times": 1,
        "is_common": False,
        "first_asked": asking.at,
        "last_asked": asking.at,
        "settled_at": None,
        "document_id": None,
    }


def note_askings(connection: Connection, askings: Sequence[Asking], max_open: int) -> int:
    """Merge askings into the questions; returns how many open ones were dropped to keep at most `max_open`.

    Of a viewer of whom no event is held nothing is noted: they were erased since they asked.
    """
    last = lock_counter(connection, "questions")
    known = _known_viewers(connection, {asking.viewer_id for asking in askings if asking.viewer_id is not None})
    noted = [(asking, asking_row(asking)) for asking in askings if asking.viewer_id is None or asking.viewer_id in known]
    held = rows_with(connection, select(questions), questions.c.digest, {row["digest"] for _, row in noted})
    merged: dict[bytes, Row] = {row["digest"]: dict(row) for row in held}
    numbered: list[tuple[int, Asking]] = []
    for asking, fresh in noted:
        row = merged.get(fresh["digest"])
        if row is None:
            last += 1
            row = merged[fresh["digest"]] = {"question_id": last, **fresh}
        else:
            _ask_again(row, asking)
        numbered.append((row["question_id"], asking))
    links = _linked(connection, numbered, {row["question_id"]: row for row in merged.values()})
    upsert(connection, questions, list(merged.values()))
    _write_links(connection, links, {row["question_id"] for row in merged.values() if row["is_common"]})
    _write_rooms(connection, numbered)
    move_counter(connection, "questions", last)
    return _drop_surplus(connection, max_open)


def _ask_again(row: Row, asking: Asking) -> None:
    """One that was answered is open again: its answer did not reach the viewer. One that was dismissed stays so."""
    row["times"] += 1
    row["last_asked"] = max(row["last_asked"], asking.at)
    row["source"] = asking.source
    row["answer"] = asking.answer or row["answer"]
    if row["status"] == "answered" and asking.at > row["settled_at"] + timedelta(seconds=SETTLING_S):
        row["status"] = "open"


def _known_viewers(connection: Connection, viewer_ids: Collection[ViewerId]) -> set[ViewerId]:
    statement = select(events.c.viewer_id).distinct()
    return {row["viewer_id"] for row in rows_with(connection, statement, events.c.viewer_id, viewer_ids)}


def _linked(connection: Connection, numbered: Sequence[tuple[int, Asking]], by_number: dict[int, Row]) -> list[Row]:
    """Who asked, as rows of `askers`; marks the questions whose askers have become too many to be persons."""
    held = rows_with(connection, select(askers), askers.c.question_id, by_number.keys())
    links: dict[tuple[int, ViewerId], Row] = {(row["question_id"], row["viewer_id"]): dict(row) for row in held}
    for number, asking in numbered:
        if asking.viewer_id is None or by_number[number]["is_common"]:
            continue
        link = links.setdefault(
            (number, asking.viewer_id),
            {"question_id": number, "viewer_id": asking.viewer_id, "room_id": None, "at": asking.at, "times": 0},
        )
        link.update(room_id=asking.room_id, at=max(link["at"], asking.at), times=link["times"] + 1)
    for number, row in by_number.items():
        row["is_common"] = row["is_common"] or sum(one == number for one, _ in links) >= MOST_ASKERS
    return [link for (number, _), link in links.items() if not by_number[number]["is_common"]]


def _write_links(connection: Connection, links: Sequence[Row], common: Collection[int]) -> None:
    _delete_rows(connection, (askers,), common)
    upsert(connection, askers, links)


def _write_rooms(connection: Connection, numbered: Sequence[tuple[int, Asking]]) -> None:
    asked_in = {(number, asking.room_id) for number, asking in numbered if asking.room_id is not None}
    held = rows_with(connection, select(question_rooms), question_rooms.c.question_id, {number for number, _ in asked_in})
    fresh = asked_in - {(row["question_id"], row["room_id"]) for row in held}
    if fresh:
        connection.execute(insert(question_rooms), [{"question_id": number, "room_id": room_id} for number, room_id in sorted(fresh)])


def _drop_surplus(connection: Connection, max_open: int) -> int:
    """Drop the least asked first, and of these the ones not asked for longest; the newest tenth stays, or none could ever come in.

    A hundredth more than has to go is dropped, so that this is not sorted out again with the next question.
    """
    is_open = questions.c.status == "open"
    surplus = connection.execute(select(func.count()).select_from(questions).where(is_open)).scalar_one() - max_open
    if surplus <= 0:
        return 0
    newest = select(questions.c.question_id).where(is_open).order_by(questions.c.question_id.desc()).limit(int(max_open * NEWEST_SHARE))
    order = (questions.c.times, questions.c.last_asked, questions.c.question_id)
    dropped = connection.scalars(
        select(questions.c.question_id)
        .where(is_open, questions.c.question_id.not_in(newest))
        .order_by(*order)
        .limit(surplus + max_open // 100)
    ).all()
    drop_questions(connection, dropped)
    return len(dropped)


def drop_questions(connection: Connection, question_ids: Collection[int]) -> None:
    _delete_rows(connection, (askers, question_rooms, questions), question_ids)


def _delete_rows(connection: Connection, tables: Sequence[Table], question_ids: Collection[int]) -> None:
    for chunk in chunks(question_ids, _KEYS_AT_ONCE):
        for table in tables:
            connection.execute(delete(table).where(table.c.question_id.in_(chunk)))


def forget_asker(connection: Connection, viewer_id: ViewerId) -> None:
    """Take back what one viewer asked: a question that nobody else has asked goes with its text and its answer."""
    lock_counter(connection, "questions")
    links = connection.execute(select(askers).where(askers.c.viewer_id == viewer_id)).mappings().all()
    for link in links:
        mine = questions.c.question_id == link["question_id"]
        connection.execute(update(questions).where(mine).values(times=questions.c.times - link["times"]))
    connection.execute(delete(askers).where(askers.c.viewer_id == viewer_id))
    left = rows_with(connection, select(questions), questions.c.question_id, [link["question_id"] for link in links])
    drop_questions(connection, [row["question_id"] for row in left if row["times"] <= 0])
