"""Who may do what."""

import hashlib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import get_args

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute
from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import Headers

from deployments.ingress.api import create_app
from deployments.ingress.auth import ROLES, Auth, Role, key_line, new_key, parse_key, parse_keys
from deployments.ingress.fakes import fake_gateway
from deployments.ingress.key_watch import auth_from_environment
from deployments.ingress.routing import required_role
from deployments.store import Store
from graphs.errors import Forbidden, Unauthenticated
from tests.deployments.ingress.conftest import calling

OPEN_TO_ALL = {"/healthz", "/readyz", "/v2/health/live", "/v2/health/ready", "/metrics", "/", "/docs"}
KEYS = {role: new_key(role, f"the-{role}") for role in ROLES}


@pytest.fixture
def locked(store: Store) -> FastAPI:
    return create_app(fake_gateway(store), auth=Auth(parse_key(key.line) for key in KEYS.values()))


@pytest.mark.parametrize("role", [None, *ROLES])
async def test_every_route_lets_in_its_role_and_those_above(locked: FastAPI, role: Role | None) -> None:
    headers = {"Authorization": f"Bearer {KEYS[role].secret}"} if role else {}
    async with calling(locked) as client:
        for route in locked.routes:
            if not isinstance(route, APIRoute) or route.path in OPEN_TO_ALL:
                continue
            needed = required_role(route)
            assert needed is not None, route.path
            for method in route.methods:
                status = (await client.request(method, route.path.replace("{", "").replace("}", ""), headers=headers)).status_code
                if role is None:
                    assert status == 401, (method, route.path)
                elif ROLES.index(role) < ROLES.index(needed):
                    assert status == 403, (method, route.path)
                else:
                    assert status not in (401, 403), (method, route.path)


async def test_a_stranger_is_refused_before_the_body_is_read(locked: FastAPI) -> None:
    async with calling(locked) as client:
        response = await client.post("/v1/events", content=b"{ not json", headers={"Content-Type": "application/json"})
    assert response.status_code == 401
    assert response.headers["www-authenticate"] == "Bearer"
    assert response.json()["error"]["code"] == "unauthenticated"


async def test_the_audit_log_names_the_key_and_the_request(locked: FastAPI, store: Store) -> None:
    headers = {"Authorization": f"Bearer {KEYS['editor'].secret}", "X-Request-Id": "req-1"}
    body = {"title": "Cup", "category": "kitchen", "price": {"amount": "1", "currency": "CNY"}}
    async with calling(locked) as client:
        await client.put("/v1/products/P-1", json=body, headers=headers)
    [entry] = (await store.audit()).items
    assert (entry.actor, entry.action, entry.request_id) == ("the-editor", "product.put", "req-1")


@pytest.mark.parametrize("sent", ["", "Bearer", "Bearer ", "Basic abc", "Bearer wrong", "bearer é", "Bearer " + "x" * 100_000])
def test_what_is_no_known_key_is_unauthenticated(sent: str) -> None:
    auth = Auth([parse_key(KEYS["caller"].line)])
    with pytest.raises(Unauthenticated):
        auth.require(Headers({"authorization": sent}), "caller")


def test_the_scheme_may_be_written_in_any_case() -> None:
    auth = Auth([parse_key(KEYS["caller"].line)])
    assert auth.require(Headers({"authorization": f"bearer {KEYS['caller'].secret}"}), "caller").name == "the-caller"


def test_only_digests_are_kept() -> None:
    key = new_key("editor", "shop-1")
    digest = hashlib.sha256(key.secret.encode()).hexdigest()
    assert key.line == f"editor:shop-1:{digest}"
    assert key.secret not in repr(parse_key(key.line))


def test_keys_come_from_the_variable_and_the_file(tmp_path: Path) -> None:
    file = tmp_path / "keys"
    file.write_text(f"# the shop's\n{KEYS['editor'].line}  # rotated in May\n\n", encoding="utf-8")
    auth = auth_from_environment({"LIVECART_KEYS": f"{KEYS['caller'].line},", "LIVECART_KEYS_FILE": str(file)})
    assert not auth.is_open
    assert auth.require(Headers({"authorization": f"Bearer {KEYS['editor'].secret}"}), "editor").role == "editor"
    assert auth_from_environment({}).is_open


@pytest.mark.parametrize(
    "keys", [",", " ", "caller", "king:a:" + "0" * 64, "caller:a:123", "caller::" + "0" * 64, f"caller:a:{'0' * 64},editor:a:{'1' * 64}"]
)
def test_malformed_keys_stop_the_start(keys: str) -> None:
    with pytest.raises(ValueError, match="key"):
        auth_from_environment({"LIVECART_KEYS": keys})


def test_a_key_lets_nobody_in_from_its_expiry_on() -> None:
    now = [datetime(2026, 1, 1, tzinfo=UTC)]
    made = new_key("caller", "shop-1", expires_at=now[0] + timedelta(hours=1))
    auth = Auth([parse_key(made.line)], now=lambda: now[0])
    headers = Headers({"authorization": f"Bearer {made.secret}"})
    assert auth.require(headers, "caller").name == "shop-1"
    now[0] += timedelta(hours=1)
    with pytest.raises(Unauthenticated, match="expired"):
        auth.require(headers, "caller")
    assert not auth.is_open


@given(st.sampled_from(ROLES), st.from_regex(r"[A-Za-z0-9._-]{1,64}", fullmatch=True), st.none() | st.datetimes(timezones=st.just(UTC)))
def test_a_line_is_read_as_it_was_written(role: Role, name: str, expires_at: datetime | None) -> None:
    whole = None if expires_at is None else expires_at.replace(microsecond=0)
    key = parse_key(new_key(role, name, expires_at=expires_at).line)
    assert (key.role, key.name, key.expires_at) == (role, name, whole)
    assert parse_key(key_line(key)) == key


def test_one_caller_may_have_two_keys_while_they_are_changed() -> None:
    old, new, odd = "caller:a:" + "0" * 64, "caller:a:" + "1" * 64, "editor:a:" + "2" * 64
    until = ":2026-12-01T00:00:00Z"
    assert len(parse_keys([old + until, new])) == 2
    for refused in ([old, new], [old + until, odd], [old, old + until]):
        with pytest.raises(ValueError, match="key"):
            parse_keys(refused)


@pytest.mark.parametrize("expires", ["tomorrow", "2026-12-01", "2026-12-01T00:00:00", "2026-13-01T00:00:00Z", ""])
def test_an_expiry_is_a_moment(expires: str) -> None:
    with pytest.raises(ValueError, match=r"key|month"):
        parse_key(f"caller:a:{'0' * 64}:{expires}")


def test_keys_are_replaced_by_keys_only() -> None:
    auth = Auth([parse_key(KEYS["caller"].line)])
    with pytest.raises(ValueError, match="keys"):
        auth.replace([])
    with pytest.raises(ValueError, match="keys"):
        Auth().replace([parse_key(KEYS["caller"].line)])
    auth.replace([parse_key(KEYS["editor"].line)])
    with pytest.raises(Unauthenticated):
        auth.require(Headers({"authorization": f"Bearer {KEYS['caller'].secret}"}), "caller")


def test_what_a_revoked_key_holds_is_ended_and_nothing_else() -> None:
    caller, editor = (parse_key(KEYS[role].line) for role in ("caller", "editor"))
    auth, ended = Auth([caller, editor]), list[str]()
    holders = [auth.require(Headers({"authorization": f"Bearer {KEYS[role].secret}"}), "caller") for role in ("caller", "editor")]
    with auth.holding(holders[0], lambda: ended.append("caller")), auth.holding(holders[1], lambda: ended.append("editor")):
        auth.end_revoked()
        assert ended == []
        auth.replace([editor])
    auth.end_revoked()
    assert ended == ["caller"]


def test_a_keys_file_without_keys_does_not_open_the_server(tmp_path: Path) -> None:
    file = tmp_path / "keys"
    file.write_text("# none yet\n", encoding="utf-8")
    with pytest.raises(ValueError, match="holds no key"):
        auth_from_environment({"LIVECART_KEYS_FILE": str(file)})


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://[", "http://127.0.0.1.evil.example"])
def test_without_keys_pages_of_other_sites_are_refused(origin: str) -> None:
    with pytest.raises(Forbidden):
        Auth().require(Headers({"origin": origin}), "caller")


@pytest.mark.parametrize("origin", ["http://localhost:8000", "http://127.0.0.1:8000", "http://[::1]:3000"])
def test_without_keys_pages_of_this_machine_are_served(origin: str) -> None:
    assert Auth().require(Headers({"origin": origin}), "operator").role == "operator"


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8000", "localhost.evil.example", "192.168.1.5:8000", "", "[::1"])
def test_without_keys_another_name_of_this_machine_is_refused(host: str) -> None:
    with pytest.raises(Forbidden):
        Auth().require(Headers({"host": host}), "caller")


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8000", "127.0.0.1:8000", "[::1]:8000", "[::1]"])
def test_without_keys_this_machine_is_called_by_its_own_names(host: str) -> None:
    assert Auth().require(Headers({"host": host}), "caller").role == "operator"


def test_with_keys_any_name_will_do() -> None:
    headers = Headers({"host": "shop.example", "authorization": f"Bearer {KEYS['caller'].secret}"})
    assert Auth([parse_key(KEYS["caller"].line)]).require(headers, "caller").role == "caller"


def test_roles_are_ordered_from_least_to_most() -> None:
    assert get_args(Role) == ROLES == ("caller", "editor", "operator")
