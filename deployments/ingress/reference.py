"""The generated parts of docs/api.md, and docs/reference.md: `python -m deployments.ingress.reference` writes them, a test compares."""

import asyncio
import tempfile
from pathlib import Path

from fastapi import FastAPI

from deployments.ingress.api import create_app
from deployments.ingress.errors import PUBLIC_ERRORS, error_type
from deployments.ingress.fakes import fake_gateway
from deployments.ingress.reference_page import reference_page
from deployments.store import Store

PAGE = Path(__file__).resolve().parent.parent.parent / "docs" / "api.md"
FULL_PAGE = PAGE.with_name("reference.md")


def reference(app: FastAPI, page: str) -> str:
    """The page with its tables of routes and errors made anew."""
    return _filled(_filled(page, "routes", routes_table(app)), "errors", errors_table())


def _filled(page: str, name: str, text: str) -> str:
    head, begin, rest = page.partition(f"<!-- {name}: generated -->")
    _, end, tail = rest.partition("<!-- end -->")
    if not (begin and end):
        raise ValueError(f"the page has no part `{name}`")
    return f"{head}{begin}\n{text}\n{end}{tail}"


def routes_table(app: FastAPI) -> str:
    lines = ["| route | role | what |", "|---|---|---|"]
    for path, methods in app.openapi()["paths"].items():
        for method, operation in methods.items():
            role = next((scope for requirement in operation.get("security", []) for scope in requirement["key"]), "")
            lines.append(f"| `{method.upper()} {path}` | {role} | {operation['summary']} |")
    return "\n".join(lines)


def errors_table() -> str:
    lines = ["| status | `code` | `type` |", "|---|---|---|"]
    lines += [f"| {kind.http_status} | `{kind.code}` | `{error_type(kind.http_status)}` |" for kind in PUBLIC_ERRORS]
    return "\n".join(lines)


async def write() -> None:
    """Bring the page up to date; a store is made for it and thrown away."""
    with tempfile.TemporaryDirectory() as folder:
        async with await Store.open(f"sqlite:///{folder}/empty.db") as store:
            app = create_app(fake_gateway(store))
    FULL_PAGE.write_text(reference_page(app.openapi()), encoding="utf-8")
    PAGE.write_text(reference(app, PAGE.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    asyncio.run(write())
