"""What the pages show is what the command line takes, what the settings accept and what the server answers."""

import asyncio
import json
import re
from pathlib import Path

import pytest
import yaml
from fastapi import FastAPI
from fastapi.routing import APIRoute
from pydantic import BaseModel, TypeAdapter
from starlette.routing import Match

from deployments.ingress.api import create_app
from deployments.ingress.fakes import fake_gateway
from deployments.launch.check import problems
from deployments.settings import ZOO, IngressConfig
from deployments.shop_rules import ShopRules
from deployments.store import Store
from tests.documents import shape
from tests.pages import Block, Call, Command, blocks, calls, commands, refusal

YAML = [block for block in blocks() if block.language == "yaml"]
SETTINGS = re.compile(r"\b(user_config|deployments|args): ?[{\n]|\w+: \w+: ")


@pytest.mark.parametrize("command", commands(), ids=str)
def test_a_command_that_is_shown_is_one_that_is_taken(command: Command) -> None:
    assert refusal(command) is None


@pytest.mark.parametrize("text", ["livecart evaluate answer", "livecart evaluate answers --jsn", "livecart train writer|eye --out a"])
def test_a_command_that_does_not_exist_is_found(text: str) -> None:
    assert refusal(Command("here", text)) is not None


@pytest.mark.parametrize("block", YAML, ids=str)
def test_settings_that_are_shown_are_accepted(block: Block, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for made, kind in (("my-intent", "intent"), ("versions/current", "recommender")):  # by commands of the same pages
        (tmp_path / "runs" / made).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "runs" / made).symlink_to(ZOO / kind)
    assert wrong_settings(yaml.safe_load(block.text), tmp_path) == []


def test_settings_that_are_refused_are_found(tmp_path: Path) -> None:
    assert wrong_settings([{"name": "Writer", "user_config": {"modle": "a"}}], tmp_path) != []
    assert wrong_settings({"args": {"placement": {"writer": "fused"}}}, tmp_path) != []
    assert wrong_settings({"tokenz": {}}, tmp_path) != []


def test_settings_stand_in_blocks_that_say_so() -> None:
    assert [str(block) for block in blocks() if block.language == "" and SETTINGS.search(block.text)] == []


def wrong_settings(shown: object, folder: Path) -> list[str]:
    """What is wrong with entries of `deployments`, parts of the application, of the ingress' settings, or a shop's rules."""
    if isinstance(shown, dict) and "rules" in shown:
        ShopRules.model_validate(shown)
        return []
    if isinstance(shown, dict) and set(shown) <= set(IngressConfig.model_fields):
        shown = [{"name": "Ingress", "user_config": shown}]
    part = {"deployments": shown} if isinstance(shown, list) else shown
    if not isinstance(part, dict) or not set(part) <= {"args", "deployments"}:
        return [f"neither a list of deployments, nor `args` and `deployments`, nor settings of the ingress, nor `rules`: {part}"]
    file = folder / "serve_config.yaml"
    application = {"name": "livecart", "import_path": "deployments.app:build", **part}
    file.write_text(yaml.safe_dump({"applications": [application]}), encoding="utf-8")
    return problems(file)


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> FastAPI:
    async def make() -> FastAPI:
        async with await Store.open(f"sqlite:///{tmp_path_factory.mktemp('pages')}/empty.db") as store:
            return create_app(fake_gateway(store))

    return asyncio.run(make())


@pytest.mark.parametrize("call", calls(), ids=str)
def test_a_call_that_is_shown_has_the_fields_of_its_route(app: FastAPI, call: Call) -> None:
    """Asked and answered, by the models of the route: no field is missing and none is another's."""
    scope = {"type": "http", "method": call.method, "path": call.path}
    [route] = [each for each in app.routes if isinstance(each, APIRoute) and each.matches(scope)[0] is Match.FULL]
    body = route.body_field.field_info.annotation if route.body_field is not None else None
    if body is not None and call.body is not None:
        TypeAdapter(body).validate_python(json.loads(call.body))
    printed = json.loads(call.printed)
    if route.response_model is not None:
        answer = route.response_model.model_validate(printed)
        assert isinstance(answer, BaseModel)
        assert shape(answer.model_dump(mode="json", exclude={"trace"})) == shape(printed)
