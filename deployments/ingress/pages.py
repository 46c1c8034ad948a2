"""The two HTML pages: plain files of this package that load nothing from anywhere else."""

from functools import cache
from pathlib import Path

from starlette.responses import HTMLResponse

CONSOLE = "console.html"
DOCS = "docs.html"
_STATIC = Path(__file__).resolve().parent / "static"
_POLICY = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; connect-src 'self'; "
    "img-src 'self' blob: data:; base-uri 'none'; frame-ancestors 'none'"
)


@cache
def _text(name: str) -> str:
    return (_STATIC / name).read_text(encoding="utf-8")


def page(name: str) -> HTMLResponse:
    return HTMLResponse(_text(name), headers={"Content-Security-Policy": _POLICY, "X-Content-Type-Options": "nosniff"})
