"""`livecart key new`: a key for the API, made on this machine."""

from typing import Annotated

import typer

from deployments.cli.common import AsJson, fail, print_json

app = typer.Typer(help="API keys.", no_args_is_help=True)


@app.callback()
def group() -> None:
    """API keys."""


@app.command()
def new(
    role: Annotated[str, typer.Option(help="caller, editor or operator; each may do all that those before it may.")],
    name: Annotated[str, typer.Option(help="For logs and the audit trail: letters, digits and . _ -")],
    *,
    as_json: AsJson = False,
) -> None:
    """Make a key: the secret, which is shown once and stored nowhere, and the line that goes into LIVECART_KEYS.

    Examples: `livecart key new --role caller --name shop-1`; `livecart key new --role editor --name cms --json | jq -r .line`
    """
    from deployments.ingress.auth import KEYS_VARIABLE, ROLES, new_key

    known = next((one for one in ROLES if one == role), None)
    if known is None:
        fail(f"no role `{role}`; there are {', '.join(ROLES)}", code=2)
    try:
        key = new_key(known, name)
    except ValueError:
        fail(f"`{name}` is no name of a key: 1 to 64 letters, digits and . _ -", code=2)
    if as_json:
        print_json({"role": known, "name": name, "secret": key.secret, "line": key.line})
    else:
        typer.echo(f"secret: {key.secret}\n{KEYS_VARIABLE}={key.line}")
