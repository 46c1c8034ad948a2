"""`livecart keys`: keys for the API, made and edited on this machine."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer
from rich.console import Console
from rich.table import Table

from deployments.cli.common import AsJson, fail, print_json

if TYPE_CHECKING:
    from deployments.ingress.auth import Key, NewKey, Role

T = TypeVar("T")
MAX_DAYS = 36_500  # a century
app = typer.Typer(help="API keys. A running server follows the file that LIVECART_KEYS_FILE names.", no_args_is_help=True)

KeysFile = Annotated[Path, typer.Option("--file", help="The keys file, as LIVECART_KEYS_FILE names it; one key a line.")]
Name = Annotated[str, typer.Option(help="For limits, logs and the audit trail: 1 to 64 letters, digits and . _ -")]


@app.callback()
def group() -> None:
    """API keys."""


@app.command()
def new(
    role: Annotated[str, typer.Option(help="caller, editor or operator; each may do all that those before it may.")],
    name: Name,
    *,
    file: Annotated[Path | None, typer.Option(help="Keys file to write the line to; without it the line is printed only.")] = None,
    days: Annotated[float | None, typer.Option(max=MAX_DAYS, help="Until the key expires; without it, it lasts.")] = None,
    as_json: AsJson = False,
) -> None:
    """Make a key: the secret, which is shown once and stored nowhere, and the line that goes into LIVECART_KEYS or the keys file.

    Examples: `livecart keys new --role caller --name shop-1`; `livecart keys new --role editor --name cms --file keys.txt`;
    `livecart keys new --role caller --name audit --days 7 --json | jq -r .line`
    """
    from deployments import key_file
    from deployments.ingress.auth import new_key

    known = _role(role)
    expires_at = None if days is None else _tried(lambda: _after(timedelta(days=days)))
    if expires_at is not None and expires_at <= datetime.now(UTC):
        fail(f"a key of {days:g} days would have expired; give more --days", code=2)
    if file is None:
        made = _tried(lambda: new_key(known, name, expires_at=expires_at))
    else:
        made = _tried(lambda: key_file.add(file, known, name, expires_at=expires_at))
    _show(made, file, as_json=as_json)


@app.command(name="list")
def list_(file: KeysFile, *, as_json: AsJson = False) -> None:
    """Whose keys a file holds, and until when. Secrets stand nowhere.

    Example: `livecart keys list --file keys.txt`
    """
    from deployments.ingress.auth import parse_keys
    from deployments.key_file import read_lines

    if not file.exists():
        fail(f"no file {file}; `livecart keys new --file {file} ...` makes it", code=2)
    keys = _tried(lambda: parse_keys(read_lines(file)))
    if as_json:
        print_json({"keys": [_row(key) for key in keys]})
        return
    table = Table("name", "role", "sha256", "expires", "state")
    for row in map(_row, keys):
        table.add_row(*(str(value or "") for value in row.values()))
    Console().print(table)


@app.command()
def revoke(file: KeysFile, name: Name, *, as_json: AsJson = False) -> None:
    """Take all keys of a name out of the file. Servers stop to serve them within two seconds and close their room sessions.

    Example: `livecart keys revoke --file keys.txt --name shop-1`
    """
    from deployments import key_file

    removed = _tried(lambda: key_file.revoke(file, name))
    if as_json:
        print_json({"name": name, "revoked": removed})
    else:
        typer.echo(f"{removed} key{'s' if removed > 1 else ''} of {name} revoked in {file}")


@app.command()
def rotate(
    file: KeysFile,
    name: Name,
    *,
    overlap_h: Annotated[float, typer.Option(min=0.0, max=24 * MAX_DAYS, help="Hours for which the old key goes on working.")] = 24.0,
    as_json: AsJson = False,
) -> None:
    """Give a name a new key; the old one works until the overlap is over, so that its caller can change without a gap.

    Examples: `livecart keys rotate --file keys.txt --name shop-1`; after a leak
    `livecart keys rotate --file keys.txt --name shop-1 --overlap-h 0`
    """
    from deployments import key_file

    made = _tried(lambda: key_file.rotate(file, name, until=_after(timedelta(hours=overlap_h))))
    _show(made, file, as_json=as_json)


def _role(name: str) -> "Role":
    from deployments.ingress.auth import ROLES

    known = next((one for one in ROLES if one == name), None)
    if known is None:
        fail(f"no role `{name}`; there are {', '.join(ROLES)}", code=2)
    return known


def _after(wait: timedelta) -> datetime:
    return (datetime.now(UTC) + wait).replace(microsecond=0)


def _tried(work: Callable[[], T]) -> T:
    try:
        return work()
    except (ValueError, OSError) as error:
        fail(str(error), code=2)


def _show(made: "NewKey", file: Path | None, *, as_json: bool) -> None:
    from deployments.ingress.auth import parse_key
    from deployments.ingress.key_watch import KEYS_VARIABLE

    key = parse_key(made.line)
    if as_json:
        print_json({"role": key.role, "name": key.name, "secret": made.secret, "line": made.line})
    else:
        typer.echo(f"secret: {made.secret}\n{f'{KEYS_VARIABLE}={made.line}' if file is None else f'in {file}: {made.line}'}")


def _row(key: "Key") -> dict[str, str | None]:
    expires = None if key.expires_at is None else key.expires_at.isoformat()
    state = "good" if key.is_good(datetime.now(UTC)) else "expired"
    return {"name": key.name, "role": key.role, "sha256": key.sha256.hex()[:12], "expires": expires, "state": state}
