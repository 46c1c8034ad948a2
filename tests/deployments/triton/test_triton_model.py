"""A model elsewhere: what it does not do well comes back in the words of the error tree, in time, and nothing goes on for nobody."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import numpy as np
import pytest

from deployments.ingress.auth import Auth, new_key, parse_keys
from deployments.ingress.fakes import fake_models
from deployments.settings import TritonModelConfig
from deployments.triton.contracts import DETECTOR, RANKER, ModelContract
from deployments.triton.errors import Unfit
from deployments.triton.model import TritonModel, Values, begin
from graphs.errors import DeadlineExceeded, Internal, LivecartError, Overloaded, PayloadTooLarge, Unavailable, UnsupportedMedia
from graphs.flow import GraphBuilder, deadline_within
from models.recommend.features import FEATURE_NAMES
from tests.deployments.triton.serving import Told, fake_v2, serving, tensor
from tests.hostile_requests import picture

FITTING = {
    "inputs": [tensor("features", "FP32", -1, len(FEATURE_NAMES))],
    "outputs": [tensor("scores", "FP32", -1, 3)],
}
ROW = np.zeros((1, len(FEATURE_NAMES)), dtype=np.float32)


def frames(count: int = 1) -> Values:
    given = np.empty(count, dtype=object)
    given[:] = [picture()] * count
    return given


@asynccontextmanager
async def model(url: str, contract: ModelContract = RANKER, *, key: str | None = None, **config: object) -> AsyncIterator[TritonModel]:
    name = "ranker" if contract is RANKER else "detector"
    opened = TritonModel(TritonModelConfig.model_validate({"url": url, "model": name, **config}), contract, key)
    try:
        yield opened
    finally:
        await opened.aclose()


def answered(*rows: float) -> tuple[int, dict[str, object]]:
    return 200, {"outputs": [{**tensor("scores", "FP32", len(rows) // 3, 3), "data": list(rows)}]}


async def test_rows_go_out_in_as_many_calls_as_the_server_takes(database: str) -> None:
    async with fake_v2(database, fake_models()) as url, model(url, DETECTOR, max_rows=2) as detector:
        found = await detector(frames(5))
    assert found["boxes"].shape == (5, 100, 4)
    assert found["count"].tolist() == [1] * 5


async def test_one_call_that_fails_ends_the_others_and_a_node_may_fall_back() -> None:
    told = Told(FITTING, [(503, {"error": "full"})] * 3)
    async with serving(told.app()) as url, model(url, max_rows=1) as ranker:

        async def scored(rows: Values) -> float:
            return float((await ranker(rows))["scores"][0, 0])

        def nothing(_rows: Values) -> float:
            return -1.0

        graph = GraphBuilder("scored", np.ndarray)
        run = await graph.build(graph.add(scored, graph.request, timeout_s=10.0, fallback=nothing)).run(
            np.repeat(ROW, 3, axis=0), budget_s=20.0
        )
    assert (run.output, run.degraded) == (-1.0, True)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, Internal),
        (401, Unavailable),
        (404, Unavailable),
        (413, PayloadTooLarge),
        (415, UnsupportedMedia),
        (429, Overloaded),
        (500, Internal),
        (503, Unavailable),
        (504, DeadlineExceeded),
    ],
)
async def test_an_error_there_is_one_of_ours_and_names_the_model(status: int, kind: type[LivecartError]) -> None:
    told = Told(FITTING, [(status, {"error": "the server's own words"})])
    async with serving(told.app()) as url, model(url) as ranker:
        with pytest.raises(LivecartError, match=r"model `ranker` of 127\.0\.0\.1:\d+ answers \d+: the server's own words") as failed:
            await ranker(ROW)
    assert type(failed.value) is kind


async def test_the_deadline_goes_along_in_microseconds() -> None:
    told = Told(FITTING, [answered(0.5, 0.4, 0.3)] * 2)
    async with serving(told.app()) as url, model(url, timeout_s=5.0) as ranker:
        await ranker(ROW)
        with deadline_within(2.0):
            await ranker(ROW)
    own, callers = (int(each["head"].split('"timeout":')[1].split("}")[0]) for each in told.asked)
    assert own == 5_000_000
    assert 1_000_000 < callers <= 2_000_000


async def test_without_time_nothing_is_sent() -> None:
    told = Told(FITTING, [answered(0.5, 0.4, 0.3)])
    async with serving(told.app()) as url, model(url) as ranker:
        with deadline_within(0.0), pytest.raises(DeadlineExceeded, match="no time was left"):
            await ranker(ROW)
    assert told.asked == []


async def test_a_server_that_is_slow_is_left_at_the_deadline(database: str) -> None:
    models = fake_models()
    models.detector.delay_s = 60.0
    async with fake_v2(database, models) as url, model(url, DETECTOR) as detector:
        with deadline_within(0.1), pytest.raises(DeadlineExceeded):
            await detector(frames())


class Raw:
    """A server below HTTP: each connection answers the first request with the metadata, and `then` does the rest with the second."""

    def __init__(self, then: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]) -> None:
        self.connections = 0
        self._then = then

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        with suppress(asyncio.IncompleteReadError):
            await reader.readuntil(b"\r\n\r\n")
            content = json.dumps(FITTING).encode()
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nContent-Type: application/json\r\n\r\n" % len(content) + content)
            await writer.drain()
            await reader.readuntil(b"\r\n\r\n")
            await self._then(reader, writer)
        writer.close()

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[str]:
        server = await asyncio.start_server(self.serve, "127.0.0.1", 0)
        async with server:
            host, port = server.sockets[0].getsockname()
            yield f"http://{host}:{port}"


async def test_a_caller_who_leaves_closes_the_call_there() -> None:
    """The server sees the connection end while it still works."""
    reading, ended = asyncio.Event(), asyncio.Event()

    async def never_answers(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        reading.set()
        while await reader.read(65_536):
            pass
        ended.set()

    async with Raw(never_answers).listening() as url, model(url) as ranker:
        call = asyncio.create_task(ranker(ROW))
        await asyncio.wait_for(reading.wait(), 10)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        await asyncio.wait_for(ended.wait(), 10)


async def test_a_connection_that_the_server_closed_meanwhile_is_left_for_another() -> None:
    async def closes(_reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None: ...

    raw = Raw(closes)
    async with raw.listening() as url, model(url) as ranker:
        with pytest.raises(Internal):  # the other connection is answered, with metadata
            await ranker(ROW)
    assert raw.connections == 2


async def test_an_answer_that_is_not_what_the_metadata_says_is_told() -> None:
    short, wide = answered(0.5, 0.4, 0.3), (200, {"outputs": [{**tensor("scores", "FP32", 1, 4), "data": [0.1] * 4}]})
    told = Told(FITTING, [short, wide, (200, {"outputs": []}), (200, {"outputs": [{"name": "scores"}]})])
    async with serving(told.app()) as url, model(url) as ranker:
        with pytest.raises(Internal, match=r"\[1, 3\] for `scores`, which has to be \[2, 3\]"):
            await ranker(np.repeat(ROW, 2, axis=0))
        with pytest.raises(Internal, match=r"\[1, 4\] for `scores`"):
            await ranker(ROW)
        with pytest.raises(Internal, match="without `scores`"):
            await ranker(ROW)
        with pytest.raises(Internal, match="none of this protocol"):
            await ranker(ROW)


async def test_one_value_a_row_in_triton_s_way() -> None:
    """[-1, 1] in, [-1, 1] out: as flat as ours."""
    outputs = [tensor("boxes", "FP32", -1, 1, 4), tensor("scores", "FP32", -1, 1), tensor("categories", "INT64", -1, 1)]
    described = {"inputs": [tensor("image", "BYTES", -1, 1)], "outputs": [*outputs, tensor("count", "INT64", -1, 1)]}
    values = {"boxes": [1.0, 2.0, 3.0, 4.0], "scores": [0.9], "categories": [0], "count": [1]}
    shapes = {"boxes": [1, 1, 4], "scores": [1, 1], "categories": [1, 1], "count": [1, 1]}
    sent = [{**each, "shape": shapes[str(each["name"])], "data": values[str(each["name"])]} for each in described["outputs"]]
    told = Told(described, [(200, {"outputs": sent})])
    async with serving(told.app()) as url, model(url, DETECTOR) as detector:
        assert (await detector(frames()))["count"].tolist() == [1]
    assert '"shape":[1,1]' in told.asked[0]["head"]


async def test_a_model_that_does_not_fit_is_no_start_and_no_answer() -> None:
    told = Told({"inputs": [], "outputs": []})
    async with serving(told.app()) as url, model(url) as ranker:
        with pytest.raises(Unfit, match=r"input `features` is missing.*output `scores` is missing"):
            await ranker(ROW)
        with pytest.raises(Unavailable):
            await ranker.ping()
        with pytest.raises(Unfit):
            await begin(ranker)


async def test_a_server_that_is_away_is_waited_for() -> None:
    """At a start, and when it goes and comes back."""
    told = Told(FITTING, [answered(0.5, 0.4, 0.3)] * 2)
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    async with model(f"http://127.0.0.1:{port}") as ranker:
        await begin(ranker)
        for _ in range(2):
            with pytest.raises(Unavailable, match="cannot be reached"):
                await ranker.ping()
            with pytest.raises(Unavailable):
                await ranker(ROW)
            async with serving(told.app(), port):
                await ranker.ping()
                assert (await ranker(ROW))["scores"].shape == (1, 3)


async def test_the_key_goes_along(database: str) -> None:
    made = new_key("caller", "shop-1")
    async with fake_v2(database, fake_models(), Auth(parse_keys([made.line]))) as url:
        async with model(url) as ranker:
            with pytest.raises(Unavailable, match="answers 401"):
                await ranker.ping()
        async with model(url, key=made.secret) as ranker:
            await ranker.ping()
            assert ((await ranker(ROW))["scores"] > 0).all()
