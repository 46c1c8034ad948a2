"""Pages of other sites get no permission: cross-origin sharing is off, and there is no setting that opens it by mistake."""

import pytest
from fastapi import FastAPI

from deployments.ingress.auth import Auth, new_key, parse_key
from tests.deployments.ingress.conftest import calling

KEY = new_key("caller", "shop-1")
FOREIGN = {"Origin": "https://shop.example"}
PREFLIGHT = {**FOREIGN, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization,content-type"}


@pytest.fixture
def locked(own_app: FastAPI) -> FastAPI:
    own_app.state.auth = Auth([parse_key(KEY.line)])
    return own_app


@pytest.mark.parametrize("path", ["/v1/answer", "/v1/chat/completions", "/v2/models/identity/infer", "/v1/products/P-1"])
async def test_a_preflight_is_answered_and_permits_nothing(locked: FastAPI, path: str) -> None:
    async with calling(locked) as client:
        answer = await client.options(path, headers=PREFLIGHT)
    assert answer.status_code == 405
    assert answer.headers["allow"]
    assert not [name for name in answer.headers if name.startswith("access-control")]


async def test_an_answer_permits_no_other_site_to_read_it(locked: FastAPI) -> None:
    async with calling(locked) as client:
        for headers in (FOREIGN, {**FOREIGN, "Authorization": f"Bearer {KEY.secret}"}):
            answer = await client.get("/v1/products", headers=headers)
            assert not [name for name in answer.headers if name.startswith("access-control")]
