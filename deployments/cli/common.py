"""What commands share: where the data is, where the server is, and how a refusal looks."""

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

if TYPE_CHECKING:
    import httpx

DEFAULT_URL = "http://127.0.0.1:8000"

Home = Annotated[Path, typer.Option(envvar="LIVECART_HOME", help="Where the data of this installation lives.")]
Url = Annotated[
    str, typer.Option(envvar="LIVECART_URL", help="The server. Empty: the one running in $LIVECART_HOME or .livecart, else port 8000.")
]
Key = Annotated[str, typer.Option(envvar="LIVECART_KEY", help="API key, where the server has keys.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
HERE = Path(".livecart")


def fail(message: str, *, code: int = 1) -> NoReturn:
    """Ends the command: the message on standard error, the code for the shell."""
    typer.secho(message, err=True, fg=typer.colors.RED if sys.stderr.isatty() else None)
    raise typer.Exit(code)


@contextmanager
def errors_named() -> Iterator[None]:
    """Data or weights that cannot be used end the command with what is wrong with them. Also decorates a whole command."""
    from models.types import ArtifactError, ModelInputError

    try:
        yield
    except (ArtifactError, ModelInputError) as error:
        fail(str(error))


def print_json(value: object) -> None:
    typer.echo(json.dumps(value, ensure_ascii=False, indent=2))


def server_url(url: str, home: Path) -> str:
    """The given address, else that of the run in `home`, else the default."""
    from deployments.launch import state

    if url:
        return url.rstrip("/")
    running = state.load(home)
    return running.url if running else DEFAULT_URL


@contextmanager
def server(url: str, key: str) -> Iterator["httpx.Client"]:
    """An HTTP client of a running server; a server that is not there or refuses ends the command with its own words."""
    import httpx

    headers = {"Authorization": f"Bearer {key}"} if key else {}
    with httpx.Client(base_url=server_url(url, Path(os.environ.get("LIVECART_HOME", HERE))), headers=headers, timeout=120.0) as client:
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
