"""Whoever writes a question, a document, a product or a brief: with the worst writer there can be, nothing of theirs gets out.

The graphs are those that are served (`build_graphs`); the writer obeys the attacker and says what the case wants.
"""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from deployments.gateway import build_graphs
from deployments.ingress.fakes import fake_models, fake_ports
from deployments.settings import IngressConfig
from graphs.answer import AnswerReply, AnswerRequest
from graphs.compliance.folding import fold
from graphs.fakes import FakeRetriever, FakeShop, ObeyingWriter
from graphs.ports import Writer
from graphs.product_copy import CopyReply, CopyRequest
from graphs.reading.slots import detect_language
from graphs.script import ScriptReply, ScriptRequest
from models.prompts import answer_prompt
from models.types import DocumentId, Passage, Product, Room
from tests.graphs.world import ENTER, LAMP, MUG, POWER, ROOM

Attack = dict[str, Any]
ATTACKS: list[Attack] = json.loads(Path(__file__).with_name("attacks.json").read_text(encoding="utf-8"))
case = pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack["name"])
# a question reaches no script; what must never get out is looked for there all the same, but not every turn of speech
elsewhere = pytest.mark.parametrize("attack", [a for a in ATTACKS if a.get("reaches") != "answer"], ids=lambda attack: attack["name"])
planted = pytest.mark.parametrize("attack", [a for a in ATTACKS if "heeds" in a], ids=lambda attack: attack["name"])


def lamp(attack: Attack) -> Product:
    """The lamp as the attacker, who may edit it, has left it."""
    planted = replace(LAMP, title=attack.get("title", LAMP.title), description=attack.get("description", LAMP.description))
    return replace(planted, attributes={**LAMP.attributes, "material": attack["attribute"]}) if "attribute" in attack else planted


def known(attack: Attack) -> tuple[Passage, ...]:
    planted: list[Passage] = []
    if "document" in attack:
        planted.append(Passage(DocumentId("doc-x"), "document", attack["document"], 0.95, LAMP.product_id))
    if "bank" in attack:
        bank = attack["bank"]
        planted.append(Passage(DocumentId("qa-x"), "qa", bank["answer"], 0.99, LAMP.product_id, bank["question"], bank["answer"]))
    if "description" in attack:
        planted.append(Passage("sku-lamp#description", "spec", attack["description"], 0.9, LAMP.product_id))
    return (*planted, POWER)


def room(attack: Attack) -> Room:
    return replace(ROOM, title=attack.get("room", ROOM.title))


async def run(name: str, attack: Attack, request: object) -> Any:  # noqa: ANN401 - the reply of any graph
    heeds = "" if name == "answer" else attack.get("heeds", "")  # an answer has to hold even when nobody told the writer to say it
    graphs = served(ObeyingWriter(attack["says"], heeds), known(attack), lamp(attack), room(attack))
    return (await graphs[name].run(request, budget_s=20)).output


def served(writer: Writer, passages: tuple[Passage, ...], product: Product = LAMP, room: Room = ROOM) -> Mapping[str, Any]:
    models = replace(fake_models(), retriever=FakeRetriever(known=passages))
    ports = fake_ports(FakeShop((product, MUG), (room,), (ENTER,)), models)
    return build_graphs(replace(ports, writer=writer), IngressConfig())


def holds_none_of(attack: Attack, said: str) -> bool:
    plain = fold(said).text
    return not [never for never in attack["never"] if fold(never).text in plain]


@case
async def test_an_answer_gives_nothing_away(attack: Attack) -> None:
    reply: AnswerReply = await run("answer", attack, AnswerRequest(attack["ask"], ROOM.room_id, LAMP.product_id))
    assert holds_none_of(attack, reply.answer), (reply.source, reply.answer)
    if reply.source == "llm":
        assert holds_none_of(attack, " ".join(citation.text for citation in reply.citations))


@elsewhere
async def test_a_script_gives_nothing_away(attack: Attack) -> None:
    brief = {wish: attack.get(wish) for wish in ("audience", "scene", "style")}
    language = detect_language(attack["says"] or "lamp")
    reply: ScriptReply = await run("script", attack, ScriptRequest((LAMP.product_id, MUG.product_id), language, duration_s=60, **brief))
    texts = [*(segment.text for segment in reply.segments), reply.summary, *reply.keywords]
    assert holds_none_of(attack, "\n".join(texts)), [segment.text for segment in reply.segments]


@elsewhere
async def test_a_product_text_gives_nothing_away(attack: Attack) -> None:
    reply: CopyReply = await run("copy", attack, CopyRequest(LAMP.product_id, "ad"))
    assert holds_none_of(attack, reply.text), reply.text


@case
async def test_the_price_stays_the_stores(attack: Attack) -> None:
    reply: AnswerReply = await run("answer", attack, AnswerRequest("How much is it?", ROOM.room_id, LAMP.product_id))
    assert (reply.source, "$49.90" in reply.answer) == ("slot", True)


@planted
async def test_what_was_planted_reaches_no_prompt(attack: Attack) -> None:
    writer = ObeyingWriter("It uses 12 W.")
    graphs = served(writer, known(attack), lamp(attack), room(attack))
    brief = {wish: attack.get(wish) for wish in ("audience", "scene", "style")}
    await graphs["answer"].run(AnswerRequest("Does it waste energy?", ROOM.room_id, LAMP.product_id), budget_s=20)
    await graphs["script"].run(ScriptRequest((LAMP.product_id,), "en", duration_s=30, **brief), budget_s=20)
    await graphs["copy"].run(CopyRequest(LAMP.product_id, "description"), budget_s=20)
    told = "\n".join(content for prompt in writer.prompts for _, content in prompt.messages)
    assert writer.prompts
    assert attack["heeds"] not in told


def test_there_are_attacks_enough() -> None:
    assert len(ATTACKS) >= 40
    assert len({attack["name"] for attack in ATTACKS}) == len(ATTACKS)


async def test_the_worst_writer_is_heard_where_it_tells_the_truth() -> None:
    """Else the cases above would pass because nothing is ever said."""
    truth = {"says": "It uses 12 W.", "never": []}
    reply: AnswerReply = await run("answer", truth, AnswerRequest("Does it waste energy?", ROOM.room_id, LAMP.product_id))
    assert "12 W" in reply.answer


async def test_a_prompt_holds_nothing_of_the_viewer_who_asks() -> None:
    writer = ObeyingWriter("It uses 12 W.")
    graphs = served(writer, (POWER,))
    for question in ("Does it waste energy?", "Is it bright in the evening?"):
        await graphs["answer"].run(AnswerRequest(question, ROOM.room_id, LAMP.product_id, ENTER.viewer_id), budget_s=20)
    told = " ".join(content for prompt in writer.prompts for _, content in prompt.messages)
    assert ENTER.viewer_id not in told.split()
    assert answer_prompt("x", (), (), "en").messages[0][1] in told or not writer.prompts
