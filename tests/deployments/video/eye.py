"""A server that sees colours: a red frame shows product `red` in its left half, a blue one `blue`, others nothing."""

import io
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
from PIL import Image

JPEG_START = b"\xff\xd8\xff"
TITLES = {"red": "Red Mug", "blue": "蓝色台灯"}


class Eye(ThreadingHTTPServer):
    """Answers `POST /v1/recognize` as livecart does."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Glance)
        self.seen: list[tuple[int, int]] = []  # sizes of the pictures that were answered
        self.bodies: list[bytes] = []
        self.busy = 0  # so many next requests are refused for now
        self.fails_after = 1_000_000  # answers
        self.takes_s = 0.0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class Glance(BaseHTTPRequestHandler):
    server: Eye
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.bodies.append(body)
        if self.server.busy > 0:
            self.server.busy -= 1
            self._answer(503, _error("overloaded", "too much to do"), retry="0.1")
        elif len(self.server.seen) >= self.server.fails_after:
            self._answer(404, _error("not_found", "no room `room-9`"))
        else:
            picture = Image.open(io.BytesIO(body[body.index(JPEG_START) :])).convert("RGB")
            self.server.seen.append(picture.size)
            time.sleep(self.server.takes_s)
            self._answer(200, _reply(picture))

    def _answer(self, status: int, body: object, *, retry: str = "") -> None:
        payload = json.dumps(body).encode()
        self.send_response(status)
        if retry:
            self.send_header("Retry-After", retry)
        self.send_header("Content-Length", str(len(payload)))
        self.end_headers()
        self.wfile.write(payload)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the name in the base class
        """Silent."""


@contextmanager
def open_eye() -> Iterator[Eye]:
    with Eye() as eye:
        thread = threading.Thread(target=eye.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield eye
        finally:
            eye.shutdown()
            thread.join()


def _reply(picture: Image.Image) -> dict[str, object]:
    red, _, blue = np.asarray(picture).reshape(-1, 3).mean(axis=0)
    product = "red" if red > blue + 60 else "blue" if blue > red + 60 else None
    box = [0, 0, picture.width / 2, picture.height]
    matches = [{"product_id": product, "title": TITLES[product], "similarity": 0.9}] if product else []
    products = [{"box": box, "score": 0.8, "category": "other", "track_id": None, "matches": matches}] if product else []
    return {"degraded": False, "frame": {"width": picture.width, "height": picture.height}, "products": products}


def _error(code: str, message: str) -> dict[str, object]:
    return {"error": {"code": code, "message": message, "type": "error", "param": None, "details": []}}
