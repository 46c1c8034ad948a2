"""`livecart questions` against a real server."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner, Result

from deployments.cli.root import app
from tests.deployments.cli.served import PATIENCE_S, served
from tests.hostile_requests import PRODUCT


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    """A server that has declined two questions, one of them twice."""
    with served(tmp_path) as address, httpx.Client(base_url=address) as http:
        http.put("/v1/products/P-1", json=PRODUCT).raise_for_status()
        for question in ("Is it blue?", "能机洗吗？", "能机洗吗"):
            http.post("/v1/answer", json={"question": question, "product_id": "P-1"}).raise_for_status()
        ends_at_s = time.monotonic() + PATIENCE_S
        while sum(item["count"] for item in http.get("/v1/questions").json()["items"]) < 3:
            if time.monotonic() > ends_at_s:
                raise TimeoutError("the questions are not noted")
            time.sleep(0.01)
        yield address


def run(url: str, *arguments: str) -> Result:
    return CliRunner().invoke(app, ["questions", *arguments, "--url", url], env={"COLUMNS": "200"})


def listed(url: str, *options: str) -> list[dict[str, object]]:
    items: list[dict[str, object]] = json.loads(run(url, "list", "--json", *options).stdout)["items"]
    return items


def test_questions_are_listed_most_asked_first(url: str) -> None:
    assert [(item["question"], item["count"]) for item in listed(url)] == [("能机洗吗？", 2), ("Is it blue?", 1)]
    shown = run(url, "list", "--limit", "1").stdout
    assert "能机洗吗？" in shown
    assert "more: --cursor" in shown
    assert listed(url, "--source", "llm") == []
    assert len(listed(url, "--product", "P-1")) == 2
    assert listed(url, "--room", "R-1") == []


def test_a_question_is_answered_and_another_dismissed(url: str) -> None:
    washable, blue = (str(item["question_id"]) for item in listed(url))
    shown = run(url, "answer", washable, "可以，30 度以下。", "--question", "可以机洗吗？", "--json")
    document = json.loads(shown.stdout)
    assert (document["question"], document["answer"], document["product_id"]) == ("可以机洗吗？", "可以，30 度以下。", "P-1")
    assert httpx.get(f"{url}/v1/knowledge/{document['document_id']}").json() == document
    assert run(url, "dismiss", blue).stdout == f"question {blue} is dismissed\n"
    assert listed(url) == []
    assert {item["status"] for item in listed(url, "--status", "all")} == {"answered", "dismissed"}
    assert "conflict" in run(url, "answer", washable, "不可以。").output


def test_an_answer_may_hold_for_the_whole_shop(url: str) -> None:
    question_id = str(listed(url)[0]["question_id"])
    assert run(url, "answer", question_id, "x", "--shop-wide", "--product", "P-1").exit_code == 2
    assert json.loads(run(url, "answer", question_id, "都可以。", "--shop-wide", "--json").stdout)["product_id"] is None


@pytest.mark.parametrize("question_id", ["404", "../../etc/passwd", "a b"])
def test_an_unknown_question_is_refused_in_the_servers_words(url: str, question_id: str) -> None:
    for command in (("answer", question_id, "x"), ("dismiss", question_id)):
        shown = run(url, *command)
        assert shown.exit_code == 1
        assert "not_found" in shown.output or "invalid_request" in shown.output or "404" in shown.output
