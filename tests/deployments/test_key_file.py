"""Editing the keys file."""

import os
import stat
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from deployments import key_file
from deployments.cli.root import app
from deployments.ingress.auth import parse_keys

RUNNER = CliRunner()
SOON = datetime(2030, 1, 1, tzinfo=UTC)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Two callers, and a comment."""
    path = tmp_path / "keys"
    key_file.add(path, "editor", "cms")
    key_file.add(path, "caller", "shop-1")
    path.write_text("# the shop's\n" + path.read_text(encoding="utf-8").replace("\ncaller", "\n\ncaller"), encoding="utf-8")
    return path


def names(path: Path) -> list[str]:
    return [key.name for key in parse_keys(key_file.read_lines(path))]


def test_the_file_is_its_owners_alone_and_nothing_else_stays(file: Path) -> None:
    file.chmod(0o644)
    key_file.add(file, "caller", "shop-2")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert os.listdir(file.parent) == [file.name]  # noqa: PTH208  # hidden ones too
    assert names(file) == ["cms", "shop-1", "shop-2"]


def test_what_stands_in_the_file_beside_the_key_stays(file: Path) -> None:
    before = key_file.read_lines(file)
    key_file.revoke(file, "shop-1")
    assert key_file.read_lines(file) == before[:-1]


def test_a_rotated_key_goes_on_until_the_overlap_is_over(file: Path) -> None:
    made = key_file.rotate(file, "shop-1", until=SOON)
    old, new = (key for key in parse_keys(key_file.read_lines(file)) if key.name == "shop-1")
    assert (old.expires_at, new.expires_at, new.role) == (SOON, None, "caller")
    assert made.line == key_file.read_lines(file)[-1]
    key_file.rotate(file, "shop-1", until=SOON + timedelta(days=1))
    ends = [key.expires_at for key in parse_keys(key_file.read_lines(file)) if key.name == "shop-1"]
    assert ends == [SOON, SOON + timedelta(days=1), None]


def test_comments_after_a_rotated_key_stay(tmp_path: Path) -> None:
    path = tmp_path / "keys"
    path.write_text(f"caller:a:{'0' * 64} # Mei's\n", encoding="utf-8")
    key_file.rotate(path, "a", until=SOON)
    assert key_file.read_lines(path)[0] == f"caller:a:{'0' * 64}:2030-01-01T00:00:00Z  # Mei's"


def test_revoking_takes_the_overlapping_key_too(file: Path) -> None:
    key_file.rotate(file, "shop-1", until=SOON)
    assert key_file.revoke(file, "shop-1") == 2
    assert names(file) == ["cms"]


def test_what_cannot_be_done_leaves_the_file_as_it_was(file: Path) -> None:
    key_file.revoke(file, "shop-1")
    before = file.read_bytes()
    with pytest.raises(ValueError, match="last key"):
        key_file.revoke(file, "cms")
    with pytest.raises(ValueError, match="no key named shop-1; there are cms"):
        key_file.rotate(file, "shop-1", until=SOON)
    with pytest.raises(ValueError, match="livecart keys rotate"):
        key_file.add(file, "caller", "cms")
    with pytest.raises(ValueError, match="role:name"):
        key_file.add(file, "caller", "a b")
    assert file.read_bytes() == before


def test_a_malformed_file_is_not_edited(file: Path) -> None:
    file.write_text("caller:shop-1\n", encoding="utf-8")
    with pytest.raises(ValueError, match="role:name"):
        key_file.add(file, "caller", "shop-2")
    assert file.read_text(encoding="utf-8") == "caller:shop-1\n"


def test_a_link_to_the_file_stays_a_link(file: Path) -> None:
    link = file.with_name("link")
    link.symlink_to(file)
    key_file.add(link, "caller", "shop-2")
    assert link.is_symlink()
    assert "shop-2" in names(file)


def test_editors_at_once_lose_nothing(file: Path) -> None:
    wanted = [f"n{number}" for number in range(8)]
    editors = [threading.Thread(target=key_file.add, args=(file, "caller", name)) for name in wanted]
    for editor in editors:
        editor.start()
    for editor in editors:
        editor.join()
    assert sorted(names(file)) == sorted(["cms", "shop-1", *wanted])


def test_the_commands_do_the_same(tmp_path: Path) -> None:
    path = str(tmp_path / "keys")
    for role, name in (("editor", "cms"), ("caller", "shop-1")):
        made = RUNNER.invoke(app, ["keys", "new", "--role", role, "--name", name, "--file", path])
        assert made.output.startswith("secret: lck_")
    assert RUNNER.invoke(app, ["keys", "rotate", "--file", path, "--name", "shop-1", "--overlap-h", "0"]).exit_code == 0
    listed = RUNNER.invoke(app, ["keys", "list", "--file", path], env={"COLUMNS": "200"}).output
    assert "expired" in listed
    assert "lck_" not in listed
    assert "2 keys of shop-1 revoked" in RUNNER.invoke(app, ["keys", "revoke", "--file", path, "--name", "shop-1"]).output
    refused = RUNNER.invoke(app, ["keys", "revoke", "--file", path, "--name", "cms"])
    assert refused.exit_code == 2
    assert names(Path(path)) == ["cms"]


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (["new", "--role", "caller", "--name", "shop-2", "--days", "5000000"], "36500"),
        (["new", "--role", "caller", "--name", "shop-2", "--days", "0"], "would have expired"),
        (["new", "--role", "caller", "--name", "shop-2", "--days", "-1"], "would have expired"),
        (["new", "--role", "caller", "--name", "shop-2", "--days", "1e-9"], "would have expired"),
        (["new", "--role", "caller", "--name", "shop-2", "--days", "nan"], "--days"),
        (["rotate", "--name", "shop-1", "--overlap-h", "5000000000"], "876000"),
        (["rotate", "--name", "shop-1", "--overlap-h", "-1"], "--overlap-h"),
    ],
)
def test_a_time_that_no_key_can_have_is_refused_in_plain_words(file: Path, command: list[str], said: str) -> None:
    before = file.read_bytes()
    shown = RUNNER.invoke(app, ["keys", *command, "--file", str(file)], env={"COLUMNS": "200"})
    assert shown.exit_code == 2, shown.output
    assert said in shown.output
    assert file.read_bytes() == before


def test_the_longest_times_are_kept(file: Path) -> None:
    for command in (
        ["new", "--role", "caller", "--name", "shop-2", "--days", "36500"],
        ["rotate", "--name", "shop-1", "--overlap-h", "876000"],
    ):
        assert RUNNER.invoke(app, ["keys", *command, "--file", str(file)]).exit_code == 0


def test_a_file_that_is_not_there_is_no_empty_list(tmp_path: Path) -> None:
    shown = RUNNER.invoke(app, ["keys", "list", "--file", str(tmp_path / "absent")])
    assert shown.exit_code == 2
    assert "no file" in shown.output
