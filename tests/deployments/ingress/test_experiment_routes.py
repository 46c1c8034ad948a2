"""Experiments over HTTP: the answers that name a variant, and the results."""

import base64
from datetime import UTC, datetime, timedelta

import httpx
from fastapi import FastAPI

from deployments.gateway import Gateway
from deployments.ingress.key_watch import auth_from_environment
from deployments.settings import IngressConfig
from livecart_client import wire
from tests.hostile_requests import picture

RANKER = {"graph": "recommend", "variants": {"control": {}, "plain": {"use_fallback": ["rank"]}}, "metric": "revenue_per_viewer"}


async def configured(app: FastAPI) -> Gateway:
    gateway: Gateway = app.state.gateway
    await gateway.configure(IngressConfig.model_validate({"experiments": {"ranker": RANKER}}))
    return gateway


async def test_an_answer_names_its_experiment_and_so_does_the_trace(app: FastAPI, shop: httpx.AsyncClient) -> None:
    before = (await shop.post("/v1/recommend/products", json={"viewer_id": "V-1"})).json()
    assert before["experiment"] is None
    await configured(app)
    reply = (await shop.post("/v1/recommend/products?trace=true", json={"viewer_id": "V-1"})).json()
    assert reply["experiment"]["name"] == "ranker"
    assert reply["trace"]["variants"] == {"ranker": reply["experiment"]["variant"]}
    frame = {"base64": base64.b64encode(picture()).decode()}
    moment = (await shop.post("/v1/moment", json={"frame": frame, "viewer_id": "V-1"})).json()
    assert moment["experiment"] == reply["experiment"]


async def test_results_are_told_by_variant(app: FastAPI, shop: httpx.AsyncClient) -> None:
    gateway = await configured(app)
    reply = (await shop.post("/v1/recommend/products", json={"viewer_id": "V-1"})).json()
    await gateway.experiments.exposures.flush()
    at = (datetime.now(UTC) + timedelta(seconds=1)).isoformat()
    did = [("impression", None), ("impression", None), ("click", None), ("purchase", 19.5)]
    events = [
        {"event_id": f"E-after-{n}", "viewer_id": "V-1", "type": kind, "at": at, "value": value} for n, (kind, value) in enumerate(did)
    ]
    assert (await shop.post("/v1/events", json={"events": events})).status_code == 202
    found = (await shop.get("/v1/experiments/ranker")).json()
    assert wire.Experiment.model_validate(found).metric == "revenue_per_viewer"
    variants = {one.pop("variant"): one for one in found["variants"]}
    assert list(variants) == ["control", "plain"]
    mine = variants[reply["experiment"]["variant"]]
    told = ("viewers", "impressions", "clicks", "purchases", "revenue", "ctr", "cvr", "revenue_per_viewer", "weight")
    assert tuple(mine[name] for name in told) == (1, 2, 1, 1, 19.5, 0.5, 1.0, 19.5, 0.5)
    assert variants["plain"]["lift"]["ctr"].keys() == {"value", "low", "high", "unadjusted", "variance_reduction"}
    assert found["sample_ratio"]["ok"] is True
    listed = (await shop.get("/v1/experiments")).json()
    assert listed["next_cursor"] is None
    assert [one["name"] for one in listed["items"]] == ["ranker"]


async def test_an_unknown_experiment_is_not_found(shop: httpx.AsyncClient) -> None:
    assert (await shop.get("/v1/experiments")).json() == {"items": [], "next_cursor": None}
    missing = await shop.get("/v1/experiments/none")
    assert (missing.status_code, missing.json()["error"]["code"]) == (404, "not_found")


async def test_results_are_for_editors(app: FastAPI, client: httpx.AsyncClient) -> None:
    before, app.state.auth = app.state.auth, auth_from_environment({"LIVECART_KEYS": f"caller:shop:{'0' * 64}"})
    try:
        assert (await client.get("/v1/experiments")).status_code == 401
    finally:
        app.state.auth = before
