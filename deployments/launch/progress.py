"""What `livecart up` shows while deployments start: a live table on a terminal, one line per change elsewhere."""

import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.live import Live
from rich.table import Table

from deployments.launch.deploy import DeploymentState

COLOURS = {"HEALTHY": "green", "UPDATING": "yellow"}
MESSAGE_LENGTH = 80


class Progress:
    """Used as a context manager; `show` may be called as often as one likes."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._started = time.monotonic()
        self._seen: dict[str, str] = {}
        self._live = Live(console=console, refresh_per_second=4, transient=True) if console.is_terminal else None

    def __enter__(self) -> Self:
        if self._live:
            self._live.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._live:
            self._live.stop()

    @property
    def elapsed_s(self) -> float:
        return time.monotonic() - self._started

    def show(self, rows: list[DeploymentState]) -> None:
        if self._live:
            self._live.update(self._table(rows))
            return
        for row in rows:
            text = f"{row.status.lower()}, {row.running} of {row.wanted} replicas"
            if self._seen.get(row.name) != text:
                self._seen[row.name] = text
                self._console.print(f"  {self.elapsed_s:5.1f} s  {row.name}: {text}", highlight=False)

    def _table(self, rows: list[DeploymentState]) -> Table:
        table = Table("deployment", "state", "replicas", "", title=f"starting, {self.elapsed_s:.0f} s", title_justify="left", box=None)
        for row in rows:
            colour = COLOURS.get(row.status, "red")
            first_line = row.message.partition("\n")[0][:MESSAGE_LENGTH]
            table.add_row(row.name, f"[{colour}]{row.status.lower()}", f"{row.running}/{row.wanted}", first_line)
        return table
