"""What the rooms of the benchmark show and ask: drawn once from the demo world, the same in each run."""

import io
import itertools
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from models.demo.catalog import demo_products, paraphrased_questions, unanswerable_questions
from models.demo.video import demo_footage
from models.types import Product, ProductId

SEED = 5
FILMS = 10  # drawn once each; room n plays film n % FILMS, n seconds into it
SHELF = 12  # products of a film
VIEWERS = tuple(f"viewer-{number:05d}" for number in range(300))  # as many as the demo world has
FROM_STORE = ("多少钱？", "How much is it?", "还有货吗？", "Is it in stock?", "是什么材质的？", "What is it made of?")
ASKS_NOTHING = ("主播好", "hello everyone", "好好看！", "love it", "666", "哈哈哈")
FOR_THE_WRITER = ("它适合什么场合用？", "What is it made for?", "Tell me about it, what is special?", "介绍一下这款商品")
REPEATED = 0.2  # of the comments: what the room was asked last, by somebody else


@dataclass(frozen=True, slots=True)
class Still:
    picture: bytes  # JPEG
    product_id: ProductId | None  # that is held up


@dataclass(frozen=True, slots=True)
class Film:
    """One frame a second, in a circle."""

    stills: tuple[Still, ...]
    shelf: tuple[ProductId, ...]

    def from_second(self, start: int) -> Iterator[Still]:
        return itertools.islice(itertools.cycle(self.stills), start, None)


def films(change_s: float, *, fps: float = 1.0) -> list[Film]:
    """Each shows another dozen of products, one after the other, `change_s` each."""
    products = demo_products()
    return [_film(_dozen(products, number), number, change_s, fps) for number in range(FILMS)]


def _dozen(products: Sequence[Product], number: int) -> list[Product]:
    return random.Random(f"{SEED}/{number}").sample(products, SHELF)


def _film(products: Sequence[Product], seed: int, change_s: float, fps: float) -> Film:
    stills = []
    for frame in demo_footage(products, seconds_each=change_s, gap_s=0.0, fps=fps, seed=seed):
        encoded = io.BytesIO()
        frame.picture.save(encoded, "JPEG", quality=85)
        stills.append(Still(encoded.getvalue(), frame.shown[0] if frame.shown else None))
    return Film(tuple(stills), tuple(product.product_id for product in products))


class Chat:
    """Comments as a live room has them: for the store, the bank, the writer and nobody, some of them twice."""

    def __init__(self) -> None:
        self._random = random.Random(SEED)
        stored = list(paraphrased_questions())
        open_ones = [question.question for question in unanswerable_questions()]
        self._kinds: tuple[Sequence[str], ...] = (FROM_STORE, stored, FOR_THE_WRITER, ASKS_NOTHING, open_ones)
        self._weights = (4, 3, 1, 2, 1)
        self._last: dict[str, str] = {}
        self._numbers = itertools.count()

    def comment(self, room_id: str) -> dict[str, str]:
        """The next message of a room."""
        text = self._last.get(room_id)
        if text is None or self._random.random() >= REPEATED:
            (kind,) = self._random.choices(self._kinds, self._weights)
            text = self._last[room_id] = self._random.choice(kind)
        comment_id = f"{room_id}-{next(self._numbers)}"
        return {"type": "comment", "comment_id": comment_id, "viewer_id": self._random.choice(VIEWERS), "text": text}
