"""What both clients do when a server refuses, breaks off or is not there."""

from collections.abc import Callable, Iterator

import httpx
import pytest

from livecart_client import AsyncClient, Client, RetryPolicy, errors, wire
from livecart_client.core import graphs, state
from livecart_client.core.attempts import Attempts
from tests.clients.in_threads import in_threads

SOON = RetryPolicy(retries=2, base_s=0.0)
REFUSAL: dict[str, dict[str, object]] = {
    "error": {"code": "overloaded", "message": "full", "type": "rate_limit_error", "param": None, "details": []}
}
OK = httpx.Response(200, json={"status": "ok"})
GONE = httpx.Response(404, json={"error": {**REFUSAL["error"], "code": "not_found"}})
ROOM = wire.Room(room_id="R-1", title="a", host="b")
Step = httpx.Response | type[httpx.RequestError]


class Script:
    """A server that does one thing after the other, and remembers what it was asked."""

    def __init__(self, *steps: Step) -> None:
        self._steps = iter(steps)
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        step = next(self._steps)
        if isinstance(step, httpx.Response):
            return httpx.Response(step.status_code, headers=step.headers, content=step.content)
        raise step("it broke", request=request)


Make = Callable[[Script], AsyncClient]


def asynchronous(script: Script) -> AsyncClient:
    return AsyncClient(transport=httpx.MockTransport(script), retry=SOON)


def waiting(script: Script) -> AsyncClient:
    return in_threads(Client(transport=httpx.MockTransport(script), retry=SOON))


@pytest.fixture(params=[asynchronous, waiting])
def make(request: pytest.FixtureRequest) -> Iterator[Make]:
    found: Make = request.param
    yield found


def refused(status: int, **headers: str) -> httpx.Response:
    return httpx.Response(status, json=REFUSAL, headers={name.replace("_", "-"): value for name, value in headers.items()})


def room() -> httpx.Response:
    return httpx.Response(200, json=ROOM.model_dump(mode="json"))


@pytest.mark.parametrize("first", [httpx.ConnectError, httpx.ConnectTimeout, httpx.ReadError, httpx.RemoteProtocolError, 429, 503], ids=str)
async def test_what_may_be_repeated_is(make: Make, first: int | type[httpx.RequestError]) -> None:
    script = Script(refused(first, retry_after_ms="1") if isinstance(first, int) else first, room())
    assert await make(script).rooms.put(ROOM) == ROOM
    assert len({request.headers["x-request-id"] for request in script.requests}) == 1
    assert len(script.requests) == 2


@pytest.mark.parametrize(
    ("first", "kind"),
    [(refused(429, retry_after="1"), errors.Overloaded), (refused(503), errors.LivecartError), (httpx.ReadError, errors.Unreachable)],
    ids=["429", "503", "broken"],
)
async def test_a_generation_is_not(make: Make, first: Step, kind: type[errors.LivecartError]) -> None:
    script = Script(first)
    with pytest.raises(kind):
        await make(script).answer("Is it warm?")
    assert len(script.requests) == 1


async def test_a_generation_that_was_not_sent_is(make: Make) -> None:
    script = Script(httpx.ConnectError, GONE)
    with pytest.raises(errors.NotFound):
        await make(script).answer("Is it warm?")
    assert len(script.requests) == 2


async def test_a_stream_that_was_not_sent_is_opened_again(make: Make) -> None:
    script = Script(httpx.ConnectError, refused(429, retry_after="7"))
    with pytest.raises(errors.Overloaded) as found:
        async with make(script).stream_answer("Is it warm?"):
            pass
    assert found.value.retry_after_s == 7
    assert len(script.requests) == 2


async def test_after_the_last_try_the_caller_hears_it(make: Make) -> None:
    script = Script(*[httpx.ConnectError] * 3)
    with pytest.raises(errors.Unreachable, match="/v1/rooms/R-1") as found:
        await make(script).rooms.get("R-1")
    assert found.value.request_id == script.requests[0].headers["x-request-id"]


async def test_who_is_told_to_wait_long_is_told_at_once(make: Make) -> None:
    script = Script(refused(429, retry_after="3600"))
    with pytest.raises(errors.Overloaded) as found:
        await make(script).rooms.get("R-1")
    assert found.value.retry_after_s == 3600


async def test_silence_is_a_deadline_and_no_reason_to_ask_again(make: Make) -> None:
    script = Script(httpx.ReadTimeout)
    with pytest.raises(errors.DeadlineExceeded):
        await make(script).rooms.get("R-1")


async def test_what_a_try_before_deleted_is_deleted(make: Make) -> None:
    script = Script(httpx.ReadError, GONE)
    await make(script).rooms.delete("R-1")
    script = Script(httpx.ConnectError, GONE)
    with pytest.raises(errors.NotFound):
        await make(script).rooms.delete("R-1")


async def test_probes_tell_how_it_is_now(make: Make) -> None:
    script = Script(refused(503, retry_after="1"))
    with pytest.raises(errors.LivecartError):
        await make(script).readyz()


@pytest.mark.parametrize("reply", [httpx.Response(200, text="hello"), httpx.Response(302, headers={"location": "http://localhost/x"})])
async def test_another_server_is_told_apart(make: Make, reply: httpx.Response) -> None:
    with pytest.raises(errors.UnexpectedReply):
        await make(Script(reply)).rooms.get("R-1")


async def test_an_error_without_its_object_goes_by_its_status(make: Make) -> None:
    with pytest.raises(errors.Unavailable, match=r"HTTP 502.*Bad Gateway"):
        await make(Script(httpx.Response(502, text="<h1>Bad Gateway</h1>"))).rooms.get("R-1")


async def test_fields_of_a_newer_server_are_passed_over(make: Make) -> None:
    newer = {**ROOM.model_dump(mode="json"), "mood": "good"}
    assert await make(Script(httpx.Response(200, json=newer))).rooms.get("R-1") == ROOM


def test_a_deadline_is_spent_over_all_tries() -> None:
    now = iter([0.0, 0.5, 0.5, 1.5, 2.5])
    attempts = Attempts(state.get(state.ROOMS, "R-1", {"deadline_s": 2.0}), SOON, clock=lambda: next(now), draw=lambda: 0.0)
    with httpx.Client(base_url="http://localhost") as http:
        first = attempts.request(http, 30.0)
        assert first.headers["x-deadline-ms"] == "1500"
        assert attempts.wait_after_failure(httpx.ConnectError("no", request=first)) == 0
        assert attempts.request(http, 30.0).headers["x-deadline-ms"] == "500"
        with pytest.raises(errors.DeadlineExceeded):
            attempts.request(http, 30.0)


async def test_the_clients_deadline_goes_for_calls_without_one() -> None:
    script = Script(OK, OK)
    async with AsyncClient(transport=httpx.MockTransport(script), deadline_s=5.0) as client:
        await client.healthz()
        await client.healthz(deadline_s=1.0)
    first, second = (int(request.headers["x-deadline-ms"]) for request in script.requests)
    assert second <= 1_000 < first <= 5_000


def test_a_key_is_given_or_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def shown(key: str | None) -> str | None:
        script = Script(OK)
        with Client(api_key=key, transport=httpx.MockTransport(script)) as client:
            client.healthz()
        found: str | None = script.requests[0].headers.get("authorization")
        return found

    monkeypatch.delenv("LIVECART_API_KEY", raising=False)
    assert shown(None) is None
    monkeypatch.setenv("LIVECART_API_KEY", "found\n")
    assert shown(None) == "Bearer found"
    assert shown("given") == "Bearer given"
    with pytest.raises(errors.InvalidRequest) as refused_key:
        Client(api_key="geheim\n钥")
    assert "geheim" not in str(refused_key.value)


def test_a_call_after_closing_fails_and_the_pool_is_closed() -> None:
    client = Client(transport=httpx.MockTransport(Script()))
    client.close()
    assert client.is_closed
    with pytest.raises(RuntimeError, match="closed"):
        client.healthz()


def test_a_frame_goes_as_a_form_with_its_fields() -> None:
    call = graphs.recognize(b"picture", {"room_id": "R-1", "top_k": 2, "min_score": None, "trace": True})
    assert (call.files, dict(call.form), dict(call.query)) == (
        (("frame", b"picture"),),
        {"room_id": "R-1", "top_k": "2"},
        {"trace": "true"},
    )


async def test_a_server_may_be_mounted_below_a_path() -> None:
    script = Script(room())
    async with AsyncClient("https://shop.example/livecart/", transport=httpx.MockTransport(script)) as client:
        await client.rooms.get("R-1")
    assert str(script.requests[0].url) == "https://shop.example/livecart/v1/rooms/R-1"
