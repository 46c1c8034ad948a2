"""The examples of docs/client.md and docs/sessions.md are run, against a server of the tests."""

from pathlib import Path

import httpx
import pytest

from tests.hostile_requests import JPEG
from tests.pages import Block, blocks

SHOWN = [block for block in blocks() if block.page.name in ("client.md", "sessions.md") and block.language == "python"]
ROOM = {"title": "Outdoor", "host": "Lin", "live": True, "shelf": ["sku-1044"]}
SHOES = {"title": "Hiking Shoes", "category": "shoes", "price": {"amount": "119.00", "currency": "USD"}}


@pytest.fixture(scope="module")
def shop(url: str) -> str:
    enter = {"event_id": "doc-1", "viewer_id": "viewer-00001", "type": "enter", "at": "2026-01-01T00:00:00Z"}
    with httpx.Client(base_url=url) as http:
        http.put("/v1/products/sku-1044", json=SHOES).raise_for_status()
        http.put("/v1/rooms/room-06", json=ROOM).raise_for_status()
        http.post("/v1/events", json={"events": [enter]}).raise_for_status()
    return url


@pytest.fixture
def beside_a_frame(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "frame.jpg").write_bytes(JPEG)
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("block", SHOWN, ids=str)
def test_an_example_runs(
    block: Block, shop: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert len(block.text.splitlines()) < 30
    monkeypatch.chdir(tmp_path)
    (tmp_path / "frame.jpg").write_bytes(JPEG)
    code = block.text.replace("localhost:8000", shop.removeprefix("http://"))
    exec(compile(code, str(block), "exec"), {"__name__": "__main__"})  # noqa: S102  # our own page
    assert capsys.readouterr().out.strip()
