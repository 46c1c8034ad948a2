"""Building blocks of the hostile table: the shop that it takes to exist, pictures, forms, and a request with what it should get."""

import base64
import io
import json
import struct
import zlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field

import httpx
from PIL import Image

MIB = 1024 * 1024
JSON = {"Content-Type": "application/json"}
PRODUCT = {"title": "Thermos", "category": "kitchen", "price": {"amount": "199.00", "currency": "CNY"}}
ROOM = {"title": "Kitchen evening", "host": "Lin", "live": True, "shelf": ["P-1", "P-2"], "showing": "P-1"}
DOCUMENT = {"kind": "qa", "question": "How long does it keep warm?", "answer": "12 hours."}
EVENT = {"event_id": "E-1", "viewer_id": "V-1", "type": "enter", "at": "2026-01-01T00:00:00Z"}
SHOP: tuple[tuple[str, str, object], ...] = (
    ("PUT", "/v1/products/P-1", PRODUCT),
    ("PUT", "/v1/products/P-2", {**PRODUCT, "title": "Cup"}),
    ("PUT", "/v1/rooms/R-1", ROOM),
    ("PUT", "/v1/knowledge/D-1", DOCUMENT),
    ("POST", "/v1/events", {"events": [EVENT]}),
)


async def load_shop(client: httpx.AsyncClient) -> None:
    """What the table takes to exist: products P-1 and P-2, room R-1, document D-1, viewer V-1."""
    for method, path, body in SHOP:
        response = await client.request(method, path, json=body)
        response.raise_for_status()


def picture(kind: str = "JPEG", size: tuple[int, int] = (64, 48)) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", size, (200, 30, 30)).save(buffer, kind)
    return buffer.getvalue()


def bomb_picture(side: int = 30_000) -> bytes:
    """A PNG of a few hundred bytes that says it is `side` x `side`."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 1_000)) + chunk(b"IEND", b"")


@dataclass(frozen=True)
class Hostile:
    name: str
    method: str
    path: str
    statuses: tuple[int, ...]
    content: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    pieces: int = 0  # above 0: `content` is sent that often, chunked, without a length

    async def send(self, client: httpx.AsyncClient) -> httpx.Response:
        content = self._stream() if self.pieces else self.content or None
        return await client.request(self.method, self.path, content=content, headers=dict(self.headers))

    async def _stream(self) -> AsyncIterator[bytes]:
        for _ in range(self.pieces):
            yield self.content

    def check(self, response: httpx.Response) -> None:
        assert response.status_code in self.statuses, f"{self.name}: {response.status_code} {response.text[:300]}"
        assert response.headers["content-type"] == "application/json", self.name
        assert response.headers["x-request-id"], self.name
        error = response.json()["error"]
        assert set(error) == {"code", "message", "type", "param", "details"}, self.name
        assert error["message"], self.name
        assert "Traceback" not in response.text, self.name


def raw(name: str, path: str, content: bytes, *statuses: int, method: str = "POST", **headers: str) -> Hostile:
    sent = {**JSON, **{key.replace("_", "-"): value for key, value in headers.items()}}
    return Hostile(name, method, path, statuses or (400,), content, sent)


def body(name: str, path: str, value: object, *statuses: int, method: str = "POST") -> Hostile:
    return raw(name, path, json.dumps(value).encode(), *statuses, method=method)


def get(name: str, path: str, *statuses: int, method: str = "GET", **headers: str) -> Hostile:
    return Hostile(name, method, path, statuses or (400,), headers={key.replace("_", "-"): value for key, value in headers.items()})


def form(*parts: tuple[str, str, bytes], end: bytes = b"--X--\r\n") -> bytes:
    """A multipart body with boundary X of (name, rest of the disposition, content)."""
    lines = [b'--X\r\nContent-Disposition: form-data; name="%s"%s\r\n\r\n%s\r\n' % (n.encode(), r.encode(), c) for n, r, c in parts]
    return b"".join(lines) + end


FORM = {"Content-Type": "multipart/form-data; boundary=X"}
FILE = '; filename="f.jpg"'
JPEG = picture()
JPEG_TEXT = base64.b64encode(JPEG).decode()


def upload(name: str, content: bytes, *statuses: int, path: str = "/v1/recognize", kind: str = FORM["Content-Type"]) -> Hostile:
    return Hostile(name, "POST", path, statuses or (400,), content, {"Content-Type": kind})


def put(name: str, path: str, value: object, *statuses: int) -> Hostile:
    return body(name, path, value, *statuses, method="PUT")
