"""The files of the audit trail."""

import json
import multiprocessing
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

from deployments.audit import AuditFiles, AuditLine

DAY = datetime(2026, 11, 22, 23, 59, tzinfo=UTC)


def line(at: datetime = DAY, name: str = "P-1") -> AuditLine:
    return AuditLine("cms", "editor", "PUT /v1/products/{product_id}", (name,), 1, "req-1", 200, "done", at)


def read(file: Path) -> list[dict[str, object]]:
    return [json.loads(text) for text in file.read_text(encoding="utf-8").splitlines()]


def test_a_line_says_who_did_what_when_and_how_it_ended(tmp_path: Path) -> None:
    folder = tmp_path / "audit"
    AuditFiles(folder, keep_days=10)(line())
    assert read(folder / "2026-11-22.jsonl") == [
        {
            "actor": "cms",
            "role": "editor",
            "action": "PUT /v1/products/{product_id}",
            "ids": ["P-1"],
            "count": 1,
            "request_id": "req-1",
            "status": 200,
            "outcome": "done",
            "at": "2026-11-22T23:59:00+00:00",
        }
    ]
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / "2026-11-22.jsonl").stat().st_mode) == 0o600


def test_each_day_has_a_file_and_old_ones_go(tmp_path: Path) -> None:
    trail = AuditFiles(tmp_path, keep_days=2)
    (tmp_path / "notes.jsonl").touch()
    for days in range(5):
        trail(line(DAY + timedelta(days=days)))
    days_kept = ["2026-11-24.jsonl", "2026-11-25.jsonl", "2026-11-26.jsonl"]
    assert sorted(file.name for file in tmp_path.iterdir()) == [*days_kept, "notes.jsonl"]


def test_what_cannot_be_written_is_counted(tmp_path: Path) -> None:
    (tmp_path / "audit").touch()
    trail = AuditFiles(tmp_path / "audit", keep_days=1)
    trail(line())
    assert trail.lost == 1


def append(folder: Path, name: str) -> None:
    trail = AuditFiles(folder, keep_days=1)
    for number in range(200):
        trail(line(name=f"{name}-{number}" + "x" * 100))


def test_processes_share_a_file(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    writers = [context.Process(target=append, args=(tmp_path, name)) for name in "ab"]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    found = [one["ids"] for one in read(tmp_path / "2026-11-22.jsonl")]
    assert sorted(map(str, found)) == sorted(str([f"{name}-{number}" + "x" * 100]) for name in "ab" for number in range(200))
