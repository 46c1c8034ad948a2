"""What commands share: where the data is, where the server is, and how a refusal looks."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from livecart_client.cli import AsJson, Commands, fail, print_json

if TYPE_CHECKING:
    import httpx

DEFAULT_URL = "http://127.0.0.1:8000"

Home = Annotated[Path, typer.Option(envvar="LIVECART_HOME", help="Where the data of this installation lives.")]
Url = Annotated[
    str, typer.Option(envvar="LIVECART_URL", help="The server. Empty: the one running in $LIVECART_HOME or .livecart, else port 8000.")
]
Key = Annotated[str, typer.Option(envvar="LIVECART_KEY", help="API key, where the server has keys.")]
STOPPED = 130  # exit status after Ctrl-C, as shells have it
HERE = Path(".livecart")
__all__ = ["AsJson", "Home", "Key", "Url", "asking", "errors_named", "fail", "print_json", "refusal", "resumable", "server", "server_url"]


@contextmanager
def errors_named() -> Iterator[None]:
    """Data or weights that cannot be used end the command with what is wrong with them. Also decorates a whole command."""
    from models.types import ArtifactError, ModelInputError

    try:
        yield
    except (ArtifactError, ModelInputError) as error:
        fail(str(error))


@contextmanager
def resumable(run: Path | None) -> Iterator[None]:
    """Ctrl-C ends a training with how to go on. `run`: where checkpoints are kept, if they are."""
    try:
        yield
    except KeyboardInterrupt:
        if run is None:
            fail("stopped; nothing was kept, since --run FOLDER, which keeps checkpoints, was not given", code=STOPPED)
        fail(f"stopped; the same command with --run {run} goes on from the latest checkpoint there", code=STOPPED)


def server_url(url: str, home: Path | None = None) -> str:
    """The given address, else that of the run in `home` (by default LIVECART_HOME's or the one here), else the default."""
    from deployments.launch import state

    if url:
        return url.rstrip("/")
    running = state.load(home or Path(os.environ.get("LIVECART_HOME", HERE)))
    return running.url if running else DEFAULT_URL


def asking() -> Commands:
    """The client's commands, which look for a server of this machine first."""
    return Commands(server_url)


@contextmanager
def server(url: str, key: str) -> Iterator["httpx.Client"]:
    """An HTTP client of a running server; a server that is not there or refuses ends the command with its own words."""
    import httpx

    headers = {"Authorization": f"Bearer {key}"} if key else {}
    with httpx.Client(base_url=server_url(url), headers=headers, timeout=120.0) as client:
        try:
            yield client
        except httpx.HTTPStatusError as error:
            fail(refusal(error.response))
        except httpx.TransportError as error:
            fail(f"no answer from {client.base_url}: {error or type(error).__name__}. Is it running? `livecart up` starts it.")


def refusal(response: "httpx.Response") -> str:
    """The server's error in one line, with its first details."""
    try:
        error = response.json()["error"]
        lines = [f"{response.status_code} {error['code']}: {error['message']}", *(f"  {detail}" for detail in error["details"][:5])]
    except (ValueError, KeyError, TypeError):  # not livecart's error form
        return f"{response.status_code}: {response.text[:500]}"
    return "\n".join(lines)
