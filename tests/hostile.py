"""Requests that no server should like, for every route: in-process tests and the integration test send the same ones.

Each has to be refused with one of its statuses and the native error object, and must change nothing.
"""

import base64
import gzip
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


def _malformed_json(path: str) -> list[Hostile]:
    """What is wrong with a body before any schema is looked at."""
    return [
        raw(f"nothing {path}", path, b""),
        raw(f"cut off {path}", path, b'{"question": "a'),
        raw(f"NaN {path}", path, b'{"k": NaN}'),
        raw(f"infinite number {path}", path, b'{"k": 1e999}'),
        raw(f"digits without end {path}", path, b'{"k": ' + b"9" * 5_000 + b"}"),
        raw(f"invalid UTF-8 {path}", path, b'{"question": "\xff\xfe"}'),
        raw(f"lone surrogate {path}", path, b'{"question": "\\ud800"}'),
        raw(f"deep {path}", path, b"[" * 100_000),
        raw(f"an array {path}", path, b"[]"),
        raw(f"null {path}", path, b"null"),
        raw(f"byte order mark of UTF-16 {path}", path, '{"question": "a"}'.encode("utf-16")),
        raw(f"not JSON's type {path}", path, b"{}", 415, Content_Type="text/plain"),
        raw(f"unknown encoding {path}", path, b"{}", 415, Content_Encoding="br"),
        raw(f"encodings stacked {path}", path, b"{}", 415, Content_Encoding="gzip, gzip"),
        raw(f"gzip that is none {path}", path, b"{}", Content_Encoding="gzip"),
        raw(f"gzip cut off {path}", path, gzip.compress(b'{"question": "a"}')[:-6], Content_Encoding="gzip"),
        raw(f"deadline of no number {path}", path, b"{}", X_Deadline_Ms="soon"),
    ]


JSON_ROUTES = (
    "/v1/answer",
    "/v1/recognize",
    "/v1/moment",
    "/v1/script",
    "/v1/script/analyze",
    "/v1/recommend/products",
    "/v1/recommend/rooms",
    "/v1/products",
    "/v1/knowledge",
    "/v1/events",
)

ANSWERS = [
    body("question of a number", "/v1/answer", {"question": 5}),
    body("empty question", "/v1/answer", {"question": ""}),
    body("question without end", "/v1/answer", {"question": "a" * 2_001}),
    body("NUL in a question", "/v1/answer", {"question": "a\0b"}),
    body("unknown field", "/v1/answer", {"question": "a", "quesiton": "b"}),
    body("unknown language", "/v1/answer", {"question": "a", "language": "tlh"}),
    body("unknown room", "/v1/answer", {"question": "a", "room_id": "R-404"}, 404),
    body("unknown room, streamed", "/v1/answer", {"question": "a", "room_id": "R-404", "stream": True}, 404),
    body("unknown product", "/v1/answer", {"question": "a", "product_id": "P-404"}, 404),
    body("unknown viewer", "/v1/answer", {"question": "a", "viewer_id": "V-404"}, 404),
    body("path as an id", "/v1/answer", {"question": "a", "room_id": "../../etc/passwd"}),
    body("id of a list", "/v1/answer", {"question": "a", "room_id": ["R-1"]}),
    raw("deadline of zero", "/v1/answer", b'{"question": "a"}', X_Deadline_Ms="0"),
    raw("negative deadline", "/v1/answer", b'{"question": "a"}', X_Deadline_Ms="-5"),
    raw("deadline beyond numbers", "/v1/answer", b'{"question": "a"}', X_Deadline_Ms="9" * 40),
    body("trace of no boolean", "/v1/answer?trace=perhaps", {"question": "a"}),
]
GRAPHS = [
    body("script without products", "/v1/script", {"product_ids": []}),
    body("script for an unknown product", "/v1/script", {"product_ids": ["P-404"]}, 404),
    body("script without end", "/v1/script", {"product_ids": ["P-1"], "duration_s": 1e9}),
    body("script of no time", "/v1/script", {"product_ids": ["P-1"], "duration_s": -1}),
    body("script of 10,000 products", "/v1/script", {"product_ids": ["P-1"] * 10_000}),
    body("script of a string", "/v1/script", {"product_ids": "P-1"}),
    body("analysis of nothing", "/v1/script/analyze", {"text": ""}),
    body("analysis of a novel", "/v1/script/analyze", {"text": "a" * 20_001}),
    body("k of zero", "/v1/recommend/products", {"viewer_id": "V-1", "k": 0}),
    body("k of a billion", "/v1/recommend/products", {"viewer_id": "V-1", "k": 10**9}),
    body("k beyond 64 bits", "/v1/recommend/products", {"viewer_id": "V-1", "k": 10**30}),
    body("k of a text", "/v1/recommend/products", {"viewer_id": "V-1", "k": "many"}),
    body("viewer unknown to recommendations", "/v1/recommend/products", {"viewer_id": "V-404"}, 404),
    body("room unknown to recommendations", "/v1/recommend/products", {"viewer_id": "V-1", "room_id": "R-404"}, 404),
    body("context unknown", "/v1/recommend/products", {"viewer_id": "V-1", "context": {"product_ids": ["P-404"]}}, 404),
    body("within without a room", "/v1/recommend/products", {"viewer_id": "V-1", "within": "room"}),
    body("within something else", "/v1/recommend/products", {"viewer_id": "V-1", "room_id": "R-1", "within": "shop"}),
    body("context of a list", "/v1/recommend/products", {"viewer_id": "V-1", "context": ["P-1"]}),
    body("viewer unknown to rooms", "/v1/recommend/rooms", {"viewer_id": "V-404"}, 404),
    body("no viewer", "/v1/recommend/rooms", {}),
]
FRAMES = [
    upload("form without a frame", form(("top_k", "", b"3"))),
    upload("frame as text", form(("frame", "", b"hello"))),
    upload("empty frame", form(("frame", FILE, b""))),
    upload("frame of text", form(("frame", FILE, b"hello, world, this is no picture")), 415),
    upload("frame of GIF", form(("frame", FILE, b"GIF89a" + b"\0" * 50)), 415),
    upload("frame cut off", form(("frame", FILE, JPEG[: len(JPEG) // 2]))),
    upload("frame of the first bytes only", form(("frame", FILE, JPEG[:20]))),
    upload("PNG signature and garbage", form(("frame", FILE, b"\x89PNG\r\n\x1a\n" + b"\xff" * 500))),
    upload("bomb", form(("frame", FILE, bomb_picture())), 400, 413),
    upload("two frames", form(("frame", FILE, JPEG), ("frame", FILE, JPEG))),
    upload("frame under another name", form(("image", FILE, JPEG))),
    upload("top_k of a word", form(("frame", FILE, JPEG), ("top_k", "", b"many"))),
    upload("top_k twice", form(("frame", FILE, JPEG), ("top_k", "", b"1"), ("top_k", "", b"2"))),
    upload("min_score NaN", form(("frame", FILE, JPEG), ("min_score", "", b"nan"))),
    upload("field of bytes", form(("frame", FILE, JPEG), ("room_id", "", b"\xff\xfe\x00"))),
    upload("field too long", form(("frame", FILE, JPEG), ("room_id", "", b"a" * 100_000))),
    upload("fields without end", form(*[(f"f{i}", "", b"1") for i in range(1_000)])),
    upload("unknown field in a form", form(("frame", FILE, JPEG), ("colour", "", b"red"))),
    upload("form without its end", form(("frame", FILE, JPEG), end=b"")),
    upload("form with another boundary", form(("frame", FILE, JPEG)), kind="multipart/form-data; boundary=Y"),
    upload("form without a boundary", form(("frame", FILE, JPEG)), kind="multipart/form-data"),
    upload("charset of an attacker", form(("room_id", "", b"\\ud800")), kind="multipart/form-data; boundary=X; charset=raw_unicode_escape"),
    upload("charset punycode", form(("room_id", "", b"\xff-\xff")), kind="multipart/form-data; boundary=X; charset=punycode"),
    upload("not multipart at all", b"\0" * 1_000),
    upload("empty form", b""),
    upload("part without a name", b"--X\r\nContent-Disposition: form-data\r\n\r\nabc\r\n--X--\r\n"),
    upload("part without headers", b"--X\r\n\r\nabc\r\n--X--\r\n"),
    upload("unknown room in a form", form(("frame", FILE, JPEG), ("room_id", "", b"R-404")), 404),
    upload("raw picture of text", b"hello", 415, kind="image/jpeg"),
    upload("raw picture of nothing", b"", kind="image/png"),
    upload("raw picture cut off", JPEG[:200], kind="image/jpeg"),
    upload("raw picture, top_k of zero", JPEG, path="/v1/recognize?top_k=0", kind="image/jpeg"),
    upload("raw picture, unknown option", JPEG, path="/v1/recognize?colour=red", kind="image/jpeg"),
    upload("form with query options", form(("frame", FILE, JPEG)), path="/v1/recognize?top_k=2"),
    upload("a video", b"\0" * 100, 415, kind="video/mp4"),
    upload("no type", JPEG, 415, kind=""),
    body("base64 of a data URL", "/v1/recognize", {"frame": {"base64": "data:image/jpeg;base64," + JPEG_TEXT}}),
    body("base64 with line breaks", "/v1/recognize", {"frame": {"base64": JPEG_TEXT[:40] + "\n" + JPEG_TEXT[40:]}}),
    body("base64 without padding", "/v1/recognize", {"frame": {"base64": "/9j/4A"}}),
    body("base64 of Chinese", "/v1/recognize", {"frame": {"base64": "你好"}}),
    body("base64 of a number", "/v1/recognize", {"frame": {"base64": 5}}),
    body("frame of a string", "/v1/recognize", {"frame": JPEG_TEXT}),
    body("no frame", "/v1/recognize", {"top_k": 3}),
    body("base64 of text", "/v1/recognize", {"frame": {"base64": base64.b64encode(b"hello").decode()}}, 415),
    body("moment without a viewer", "/v1/moment", {"frame": {"base64": JPEG_TEXT}}),
    body("moment of an unknown viewer", "/v1/moment", {"frame": {"base64": JPEG_TEXT}, "viewer_id": "V-404"}, 404),
    upload("moment in a form, k of a word", form(("frame", FILE, JPEG), ("viewer_id", "", b"V-1"), ("k", "", b"x")), path="/v1/moment"),
    upload("images without a file", form(("image", "", b"x")), path="/v1/products/P-1/images"),
    upload("images of text", form(("image", FILE, b"hello")), 415, path="/v1/products/P-1/images"),
    upload("images cut off", form(("image", FILE, JPEG[:300])), path="/v1/products/P-1/images"),
    upload("images of an unknown product", form(("image", FILE, JPEG)), 404, path="/v1/products/P-404/images"),
    upload("images as JSON", b"{}", 415, path="/v1/products/P-1/images", kind="application/json"),
    upload("more images than allowed", form(*[("image", FILE, b"\xff\xd8\xff")] * 65), path="/v1/products/P-1/images"),
]


def put(name: str, path: str, value: object, *statuses: int) -> Hostile:
    return body(name, path, value, *statuses, method="PUT")


STATE = [
    put("product with a float price", "/v1/products/P-3", {**PRODUCT, "price": {"amount": 199.0, "currency": "CNY"}}),
    put("product with a negative price", "/v1/products/P-3", {**PRODUCT, "price": {"amount": "-1", "currency": "CNY"}}),
    put("product with NaN as price", "/v1/products/P-3", {**PRODUCT, "price": {"amount": "NaN", "currency": "CNY"}}),
    put("product in no currency", "/v1/products/P-3", {**PRODUCT, "price": {"amount": "1", "currency": "yuan"}}),
    put("product with half a piece in stock", "/v1/products/P-3", {**PRODUCT, "stock": 1.5}),
    put("product with a googol in stock", "/v1/products/P-3", {**PRODUCT, "stock": 10**100}),
    put("product with a true stock", "/v1/products/P-3", {**PRODUCT, "stock": True}),
    put("product under two ids", "/v1/products/P-3", {**PRODUCT, "product_id": "P-4"}),
    put("product with an id of null", "/v1/products/P-3", {**PRODUCT, "product_id": None}),
    put("product of a list", "/v1/products/P-3", [PRODUCT]),
    put("product with 101 attributes", "/v1/products/P-3", {**PRODUCT, "attributes": {str(i): "x" for i in range(101)}}),
    put("product with an attribute of a list", "/v1/products/P-3", {**PRODUCT, "attributes": {"a": ["x"]}}),
    put("product with a NUL", "/v1/products/P-3", {**PRODUCT, "title": "a\0b"}),
    put("id with a space", "/v1/products/a%20b", PRODUCT),
    put("id with a line break", "/v1/products/a%0Ab", PRODUCT),
    put("id with a NUL", "/v1/products/a%00b", PRODUCT),
    put("id of invalid UTF-8", "/v1/products/%FF%FE", PRODUCT),
    put("id with a slash", "/v1/products/a%2Fb", PRODUCT, 400, 404),
    put("id of dots", "/v1/products/%2E%2E", PRODUCT, 400, 404, 405),
    put("id that escapes", "/v1/products/..%2F..%2Fetc%2Fpasswd", PRODUCT, 400, 404),
    put("id of 129 characters", "/v1/products/" + "a" * 129, PRODUCT),
    put("room with an unknown product", "/v1/rooms/R-2", {**ROOM, "shelf": ["P-404"]}, 404),
    put("room showing an unknown product", "/v1/rooms/R-2", {**ROOM, "showing": "P-404"}, 404),
    put("room live perhaps", "/v1/rooms/R-2", {**ROOM, "live": "perhaps"}),
    put("room of 501 products", "/v1/rooms/R-2", {**ROOM, "shelf": ["P-1"] * 501}),
    put("document about an unknown product", "/v1/knowledge/D-2", {**DOCUMENT, "product_id": "P-404"}, 404),
    put("qa without an answer", "/v1/knowledge/D-2", {"kind": "qa", "question": "a"}),
    put("document of another kind", "/v1/knowledge/D-2", {"kind": "poem", "text": "a"}),
    put("document in Klingon", "/v1/knowledge/D-2", {**DOCUMENT, "language": "tlh"}),
    body("products beside something else", "/v1/products", {"products": [], "more": 1}),
    body("products of a map", "/v1/products", {"products": {"P-3": PRODUCT}}),
    body("one bad product of two", "/v1/products", {"products": [{**PRODUCT, "product_id": "P-3"}, {"product_id": "P-4"}]}, 422),
    body("a product of null", "/v1/products", {"products": [None]}, 422),
    body("1,001 products", "/v1/products", {"products": [{}] * 1_001}, 413),
    body("1,001 documents", "/v1/knowledge", {"documents": [{}] * 1_001}, 413),
    body("one bad document of two", "/v1/knowledge", {"documents": [{**DOCUMENT, "document_id": "D-3"}, {"kind": "qa"}]}, 422),
    body(
        "documents about an unknown product",
        "/v1/knowledge",
        {"documents": [{**DOCUMENT, "document_id": "D-3", "product_id": "P-404"}]},
        404,
        422,
    ),
    get("cursor of garbage", "/v1/products?cursor=%00%ff"),
    get("cursor of another alphabet", "/v1/products?cursor=%E4%BD%A0%E5%A5%BD"),
    get("cursor without end", "/v1/products?cursor=" + "a" * 5_000),
    get("limit of zero", "/v1/products?limit=0"),
    get("limit of 501", "/v1/products?limit=501"),
    get("limit of a word", "/v1/rooms?limit=all"),
    get("live perhaps", "/v1/rooms?live=perhaps"),
    get("limit beyond 64 bits", "/v1/knowledge?limit=" + "9" * 30),
    get("unknown product, asked", "/v1/products/P-404", 404),
    get("unknown room, asked", "/v1/rooms/R-404", 404),
    get("unknown document, asked", "/v1/knowledge/D-404", 404),
    get("unknown viewer, asked", "/v1/viewers/V-404", 404),
    get("unknown graph", "/v1/graphs/nope", 404),
    get("unknown product, deleted", "/v1/products/P-404", 404, method="DELETE"),
    get("unknown viewer, erased", "/v1/viewers/V-404", 404, method="DELETE"),
]
EVENTS = [
    body("1,001 events", "/v1/events", {"events": [EVENT] * 1_001}, 413),
    body("event of no type", "/v1/events", {"events": [{**EVENT, "type": "sneeze"}]}, 422),
    body("event without a zone", "/v1/events", {"events": [{**EVENT, "at": "2026-01-01T00:00:00"}]}, 422),
    body("event in the year 99999", "/v1/events", {"events": [{**EVENT, "at": "99999-01-01T00:00:00Z"}]}, 422),
    body("event at a huge number", "/v1/events", {"events": [{**EVENT, "at": 10**25}]}, 422),
    body("event of a text as value", "/v1/events", {"events": [{**EVENT, "value": "much"}]}, 422),
    body("event with a NUL", "/v1/events", {"events": [{**EVENT, "text": "a\0"}]}, 422),
    body("event of a list", "/v1/events", {"events": [[]]}, 422),
    body("event with an unknown field", "/v1/events", {"events": [{**EVENT, "colour": "red"}]}, 422),
    body("one bad event of two", "/v1/events", {"events": [{**EVENT, "event_id": "E-9"}, {**EVENT, "event_id": ""}]}, 422),
    body("events of null", "/v1/events", {"events": None}),
]
EDGES = [
    get("unknown route", "/v1/nope", 404),
    get("route with a slash at its end", "/v1/products/", 404),
    get("route in capitals", "/V1/PRODUCTS", 404),
    get("wrong method", "/v1/answer", 405),
    get("wrong method on an id", "/v1/products/P-1", 405, method="PATCH"),
    get("method of nobody", "/v1/products", 405, method="BREW"),
    get("path that climbs", "/v1/../../etc/passwd", 404),
    Hostile("33 MiB with a length", "POST", "/v1/answer", (413,), b" " * (33 * MIB), JSON),
    Hostile("33 MiB in pieces", "POST", "/v1/answer", (413,), b" " * MIB, JSON, pieces=33),
    Hostile("33 MiB of picture", "POST", "/v1/recognize", (413,), JPEG + b"\0" * (33 * MIB), {"Content-Type": "image/jpeg"}),
    Hostile("33 MiB of form", "POST", "/v1/recognize", (413,), form(("frame", FILE, b"\0" * (33 * MIB))), FORM),
    raw("gzip bomb", "/v1/answer", gzip.compress(b" " * (64 * MIB), 9), 413, Content_Encoding="gzip"),
    raw("deflate bomb", "/v1/events", zlib.compress(b" " * (64 * MIB), 9), 413, Content_Encoding="deflate"),
]
HOSTILE: tuple[Hostile, ...] = (
    *[case for path in JSON_ROUTES for case in _malformed_json(path)],
    *ANSWERS,
    *GRAPHS,
    *FRAMES,
    *STATE,
    *EVENTS,
    *EDGES,
)
