"""What is written down about a run, so that another shell can find it: `<home>/run.json`, and a lock that dies with the launcher."""

import dataclasses
import fcntl
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from deployments.launch.errors import AlreadyRunningError

STATE_FILE = "run.json"
LOCK_FILE = "run.lock"
STATUS_FILE = "status.json"
DEPLOYED_FILE = "deployed.yaml"  # the configuration as it was last deployed, which an editor does not change


@dataclass(frozen=True, slots=True)
class RunState:
    """One start of the platform."""

    run_id: str
    launcher_pid: int
    url: str  # for callers on this machine
    config: str
    folder: str  # Ray's sockets and the run's token; removed at the end
    logs: str
    started_at: str  # ISO 8601 with a zone
    gcs_address: str = ""  # empty until Ray is up


def write_json(path: Path, value: object) -> None:
    """Atomic: a reader sees the old or the new file."""
    scratch = path.with_suffix(".tmp")
    scratch.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    scratch.replace(path)


def save(home: Path, state: RunState) -> None:
    write_json(home / STATE_FILE, dataclasses.asdict(state))


def load(home: Path) -> RunState | None:
    """The last run that was not stopped in order, or None."""
    try:
        fields = json.loads((home / STATE_FILE).read_text(encoding="utf-8"))
        return RunState(**fields)
    except (FileNotFoundError, ValueError, TypeError):  # a file cut off or of another version describes nothing
        return None


def forget(home: Path) -> None:
    for name in (STATE_FILE, STATUS_FILE, DEPLOYED_FILE):
        (home / name).unlink(missing_ok=True)


def is_locked(home: Path) -> bool:
    """Whether a launcher of this home lives."""
    path = home / LOCK_FILE
    if not path.exists():
        return False
    with path.open("rb") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


@contextmanager
def lock(home: Path) -> Iterator[None]:
    """Holds the home for this process; children do not inherit it. Raises `AlreadyRunningError`."""
    home.mkdir(parents=True, exist_ok=True)
    with (home / LOCK_FILE).open("ab") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            state = load(home)
            found = f"process {state.launcher_pid}, {state.url}" if state else "it is starting"
            raise AlreadyRunningError(
                f"livecart already runs with the data in {home} ({found}). Stop it with `livecart down`, or give another --home."
            ) from None
        yield
