"""A question that nobody could answer, answered by an editor, answered by the bank: on every replica within a second."""

import asyncio
import json
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from models.demo.catalog import unanswerable_questions
from tests.integration.conftest import ROOT, Server

pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]
EDITORS_ANSWER = "这个问题已经由主播确认，详情请看商品页。"
PATIENCE_S = 30.0


def replica_urls(server: Server) -> list[str]:
    """Of each ingress replica, past the front end."""
    pids = server.replica_pids("Ingress")
    ports = {listener.pid: listener.port for listener in server.status().listeners if listener.pid in pids and _serves(listener.port)}
    return [f"http://127.0.0.1:{port}" for port in ports.values()]


def _serves(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/healthz", timeout=5).status_code == 200
    except httpx.HTTPError:
        return False


def declined(http: httpx.Client) -> dict[str, str]:
    """The body of a request that is declined, found by asking."""
    for asked in unanswerable_questions():
        body = {"question": asked.question, "product_id": str(asked.product_id), "language": asked.language}
        if http.post("/v1/answer", json=body).raise_for_status().json()["abstained"]:
            return body
    pytest.fail("every unanswerable question was answered")


def noted(http: httpx.Client, body: dict[str, str]) -> dict[str, object]:
    ends_at_s = time.monotonic() + PATIENCE_S
    while time.monotonic() < ends_at_s:
        items = http.get("/v1/questions", params={"product_id": body["product_id"], "order": "newest"}).json()["items"]
        for item in items:
            if item["question"] == body["question"]:
                return dict(item)
        time.sleep(0.05)
    pytest.fail("the question is not listed")


async def bank_answers(url: str, body: dict[str, str]) -> tuple[str, str]:
    """Source and answer of one replica, asked again until the bank answers or the second is over."""
    ends_at_s = time.monotonic() + 1.0
    async with httpx.AsyncClient(base_url=url, timeout=30) as client:
        while True:
            asked_at_s = time.monotonic()
            reply = (await client.post("/v1/answer", json=body)).json()
            if reply["source"] == "bank" or asked_at_s > ends_at_s:
                return reply["source"], reply["answer"]
            await asyncio.sleep(0.05)


async def bank_answers_everywhere(urls: list[str], body: dict[str, str]) -> set[tuple[str, str]]:
    return set(await asyncio.gather(*(bank_answers(url, body) for url in urls)))


def test_an_editors_answer_is_given_by_every_replica_within_a_second(server: Server, http: httpx.Client) -> None:
    body = declined(http)
    question = noted(http, body)
    assert (question["status"], question["source"]) == ("open", "none")
    urls = replica_urls(server)
    assert len(urls) == 2
    answered = http.post(f"/v1/questions/{question['question_id']}/answer", json={"answer": EDITORS_ANSWER})
    try:
        assert answered.status_code == 201
        assert asyncio.run(bank_answers_everywhere(urls, body)) == {("bank", EDITORS_ANSWER)}
        assert http.get(f"/v1/questions/{question['question_id']}").json()["status"] == "answered"
    finally:
        http.delete(f"/v1/knowledge/{answered.json()['document_id']}")


def test_an_imported_file_is_answered_from(server: Server, http: httpx.Client, tmp_path: Path) -> None:
    file = tmp_path / "shop.md"
    file.write_text("# 店铺\n\n问：你们的客服工号怎么查？\n答：在订单页右上角可以看到客服工号。\n", encoding="utf-8")
    livecart = str(Path(sys.executable).with_name("livecart"))
    command = [livecart, "knowledge", "import", str(file), "--url", server.url, "--replace", "--json"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=120)
    assert json.loads(done.stdout) == {"file": str(file), "documents": 1, "removed": 0}
    try:
        found = asyncio.run(bank_answers(server.url, {"question": "你们的客服工号怎么查？"}))
        assert found == ("bank", "在订单页右上角可以看到客服工号。")
    finally:
        file.write_text("# 店铺\n\n我们有客服。\n", encoding="utf-8")
        subprocess.run(command, cwd=ROOT, capture_output=True, check=True, timeout=120)
        for item in http.get("/v1/knowledge", params={"limit": "500"}).json()["items"]:
            if item["document_id"].startswith("shop.md:"):
                http.delete(f"/v1/knowledge/{item['document_id']}")
