"""A key that asks too often, on each protocol."""

import math

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute

from deployments.ingress.auth import ROLES, Auth, new_key, parse_key
from deployments.ingress.routing import required_role
from deployments.settings import IngressConfig, RequestLimits, RequestRate
from livecart_client import wire
from tests.deployments.ingress.conftest import Client, calling
from tests.deployments.ingress.sockets import Socket

KEYS = {role: new_key(role, f"the-{role}") for role in ROLES}
ONE = IngressConfig(requests=RequestLimits(per_key=RequestRate(per_minute=1)))


def shown(role: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {KEYS[role].secret}"}  # type: ignore[index]  # one of ROLES


@pytest.fixture
def limited(own_app: FastAPI) -> FastAPI:
    """Each key may ask once a minute."""
    own_app.state.auth = Auth(parse_key(key.line) for key in KEYS.values())
    own_app.state.gateway.apply(ONE)
    return own_app


@pytest.mark.parametrize("path", ["/v1/products", "/v1/models", "/v2/models/identity"])
async def test_the_second_request_is_refused_in_the_form_of_its_protocol(limited: FastAPI, path: str) -> None:
    async with calling(limited) as client:
        assert (await client.get(path, headers=shown("caller"))).status_code == 200
        refused = await client.get(path, headers=shown("caller"))
        assert (await client.get(path, headers=shown("editor"))).status_code == 200
    assert refused.status_code == 429
    wait_ms = int(refused.headers["retry-after-ms"])
    assert 0 < wait_ms <= 60_000
    assert int(refused.headers["Retry-After"]) == math.ceil(wait_ms / 1_000)
    error = refused.json()["error"]
    if path.startswith("/v2"):
        assert "the-caller" in error
    else:
        assert (error["code"], error["type"]) == ("overloaded", "rate_limit_error")


async def test_every_route_that_needs_a_key_counts(limited: FastAPI) -> None:
    async with calling(limited) as client:
        await client.get("/v1/products", headers=shown("operator"))
        for route in limited.routes:
            if isinstance(route, APIRoute):
                path = route.path.replace("{", "").replace("}", "")
                for method in route.methods:
                    status = (await client.request(method, path, headers=shown("operator"))).status_code
                    assert (status == 429) is (required_role(route) is not None), path


async def test_opening_a_room_session_counts(limited: FastAPI, shop_room: str) -> None:
    path = f"/v1/rooms/{shop_room}/session"
    async with Socket(limited, path, shown("caller")) as socket:
        socket.say("ping")
        assert (await socket.hear())["type"] == "pong"
    async with Socket(limited, path, shown("caller")) as socket:
        [error] = await socket.hear_until("error")
        assert error["error"]["code"] == "overloaded"
        assert await socket.code() == wire.SessionClose.TRY_AGAIN


@pytest.fixture
async def shop_room(limited: FastAPI) -> str:
    async with calling(limited) as client:
        body = {"title": "Cups", "host": "Mei", "tags": [], "live": True, "shelf": []}
        assert (await client.put("/v1/rooms/R-1", json=body, headers=shown("editor"))).status_code == 200
    return "R-1"


async def test_limits_change_while_the_server_runs(limited: FastAPI) -> None:
    async with calling(limited) as client:
        statuses = [(await client.get("/v1/products", headers=shown("caller"))).status_code for _ in range(2)]
        await limited.state.gateway.configure(IngressConfig())
        statuses.append((await client.get("/v1/products", headers=shown("caller"))).status_code)
    assert statuses == [200, 429, 200]


async def test_without_keys_everybody_shares_one_limit(client: Client, app: FastAPI) -> None:
    app.state.gateway.apply(IngressConfig(requests=RequestLimits(by_key={"anonymous": RequestRate(per_minute=1)})))
    assert [(await client.get("/v1/products")).status_code for _ in range(2)] == [200, 429]
