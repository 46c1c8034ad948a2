"""Load on any route of a running server, by locust.

locust -f benchmarks/load.py --headless --host http://127.0.0.1:8000 --route moment -u 8 -t 30s --csv runs/moment

`--route` is one of the names below, or `mix` for all of them in the proportions of a live room. Frames, questions and viewers are the
demo world's; with `--api-key` the calls are authenticated. Locust's own options (users, ramp, time, CSV, web page) all work.
"""

import itertools
import json
import random
from argparse import ArgumentParser
from collections.abc import Callable
from datetime import UTC, datetime

from locust import FastHttpUser, constant, events, task

from models.demo.catalog import demo_products, demo_rooms, paraphrased_questions
from models.demo.pictures import demo_frame

SEED = 11
FRAMES = 16
VIEWERS = 300  # as many as the demo world has
QUESTIONS = ("How much is it?", "Is it in stock?", "What is it made of?", "这个多少钱？", "还有货吗？", "是什么材质的？")
MIX = {"events": 20, "moment": 4, "answer": 6, "recommend": 6, "rooms": 3, "recognize": 4, "script": 1}


@events.init_command_line_parser.add_listener  # type: ignore[untyped-decorator]  # locust has no types
def add_options(parser: ArgumentParser) -> None:
    parser.add_argument("--route", default="mix", choices=("mix", *MIX, "products"), help="what is called")
    parser.add_argument("--api-key", default="", help="bearer key, where the server has keys", is_secret=True)


class World:
    """What the calls are made of: the same for every user, drawn once."""

    def __init__(self) -> None:
        draw = random.Random(SEED)
        self.rooms = [room for room in demo_rooms() if room.live]
        self.products = demo_products()
        category = {product.product_id: product.category for product in self.products}
        shown = [(room.room_id, draw.choice(room.shelf)) for room in itertools.islice(itertools.cycle(self.rooms), FRAMES)]
        self.frames = [(room_id, demo_frame({shelf: category[shelf]}, seed=number)) for number, (room_id, shelf) in enumerate(shown)]
        self.questions = [*QUESTIONS, *paraphrased_questions()]
        self.numbers = itertools.count()


WORLD = World()


class Caller(FastHttpUser):  # type: ignore[misc]  # locust has no types
    """One backend connection that calls without a pause."""

    wait_time = constant(0)

    def on_start(self) -> None:
        options = self.environment.parsed_options
        self._headers = {"Authorization": f"Bearer {options.api_key}"} if options.api_key else {}
        names = list(MIX) if options.route == "mix" else [options.route]
        self._weights = [MIX.get(name, 1) for name in names]
        self._calls: list[Callable[[], None]] = [getattr(self, f"_{name}") for name in names]

    @task  # type: ignore[untyped-decorator]  # locust has no types
    def call(self) -> None:
        (chosen,) = random.choices(self._calls, self._weights)
        chosen()

    def _post(self, path: str, body: dict[str, object]) -> None:
        headers = {**self._headers, "Content-Type": "application/json"}
        self.client.post(path, data=json.dumps(body), headers=headers, name=path)

    def _frame(self, path: str, query: str = "") -> None:
        room_id, frame = random.choice(WORLD.frames)
        headers = {**self._headers, "Content-Type": "image/jpeg"}
        self.client.post(f"{path}?room_id={room_id}{query}", data=frame, headers=headers, name=path)

    def _recognize(self) -> None:
        self._frame("/v1/recognize")

    def _moment(self) -> None:
        self._frame("/v1/moment", f"&viewer_id={_viewer()}&comment=How%20much%3F")

    def _answer(self) -> None:
        self._post("/v1/answer", {"question": random.choice(WORLD.questions), "product_id": random.choice(WORLD.products).product_id})

    def _script(self) -> None:
        self._post("/v1/script", {"product_ids": [random.choice(WORLD.products).product_id], "language": "en", "duration_s": 30})

    def _recommend(self) -> None:
        self._post("/v1/recommend/products", {"viewer_id": _viewer(), "room_id": random.choice(WORLD.rooms).room_id})

    def _rooms(self) -> None:
        self._post("/v1/recommend/rooms", {"viewer_id": _viewer()})

    def _events(self) -> None:
        now = datetime.now(UTC)
        event = {
            "event_id": f"load-{now.timestamp()}-{next(WORLD.numbers)}",
            "viewer_id": _viewer(),
            "type": "click",
            "at": now.isoformat(),
            "product_id": random.choice(WORLD.products).product_id,
        }
        self._post("/v1/events", {"events": [event]})

    def _products(self) -> None:
        product_id = random.choice(WORLD.products).product_id
        self.client.get(f"/v1/products/{product_id}", headers=self._headers, name="/v1/products/{product_id}")


def _viewer() -> str:
    return f"viewer-{random.randrange(VIEWERS):05d}"
