import asyncio
from contextlib import aclosing

import pytest

from graphs.answer import AnswerNodes, AnswerReply, AnswerRequest, answer_graph
from graphs.answering.known import Nearness
from graphs.answering.speaking import Said, Speaker, Step
from graphs.errors import NotFound, Unavailable
from graphs.fakes import FakeComprehension, FakeRetriever, FakeShop, FakeWriter
from graphs.flow import Run, StreamGraph
from graphs.watching.displays import host_of
from models.prompts import REFUSALS
from models.types import Event, EventId, Passage, ProductId, RoomId, ViewerId
from tests.graphs.world import ENTER, LAMP, MUG, POWER, ROOM, VIEWER, WARRANTY

Answers = StreamGraph[AnswerRequest, Step, AnswerReply]
DISPLAY = Event(EventId("d1"), host_of(ROOM.room_id), "display", ENTER.at, ROOM.room_id, LAMP.product_id, 5.0)


def graph(writer: FakeWriter | None = None, retriever: FakeRetriever | None = None, intents: dict[str, str] | None = None) -> Answers:
    shop = FakeShop((LAMP, MUG), (ROOM,), (ENTER, DISPLAY))
    retriever = retriever or FakeRetriever(known=(POWER,))
    return answer_graph(
        AnswerNodes(
            shop,
            retriever,
            FakeComprehension(intents or {}),
            shop,
            Speaker(writer or FakeWriter()),
            nearness=Nearness(bank_threshold=0.75, bank_agreement=0.6, evidence_threshold=0.3),
        )
    )


async def ask(question: str, over: Answers, **named: object) -> AnswerReply:
    return (await over.run(AnswerRequest(question, **named), budget_s=5)).output  # type: ignore[arg-type]  # fields by name


async def test_a_price_is_the_stores_and_never_the_models() -> None:
    writer = FakeWriter(("It costs 1 USD.",))
    answer = await ask("How much is it?", graph(writer, intents={"How much is it?": "price"}), product_id=LAMP.product_id)
    assert "49.90" in answer.answer
    assert (answer.source, answer.grounded, answer.ai_generated) == ("slot", True, False)
    assert answer.citations[0].product_id == LAMP.product_id
    assert writer.prompts == []


async def test_a_stored_answer_is_given_as_it_is() -> None:
    answer = await ask("How long is the warranty?", graph(retriever=FakeRetriever(known=(WARRANTY,))), product_id=LAMP.product_id)
    assert (answer.answer, answer.source) == ("The warranty is 2 years.", "bank")
    assert answer.citations[0].source_id == "doc-1"


async def test_the_model_answers_from_the_evidence_and_cites_it() -> None:
    writer = FakeWriter(("It uses 12 W.",))
    answer = await ask("Does it waste energy?", graph(writer), product_id=LAMP.product_id)
    assert (answer.answer, answer.source, answer.ai_generated, answer.grounded) == ("It uses 12 W.", "llm", True, True)
    assert [c.source_id for c in answer.citations] == ["sku-lamp#power"]
    assert "12 W" in writer.prompts[0].messages[-1][1]


async def test_a_figure_that_shares_but_a_word_with_the_question_is_no_evidence() -> None:
    writer = FakeWriter(("The delivery charge is $5.",))
    charge = Passage("sku-lamp#delivery charge", "spec", "Lumo desk lamp: delivery charge: $5", 0.5, LAMP.product_id)
    answer = await ask(
        "can I charge my computer with it", graph(writer, retriever=FakeRetriever(known=(charge,))), product_id=LAMP.product_id
    )
    assert answer.abstained
    assert writer.prompts == []


async def test_a_figure_that_is_not_in_the_evidence_is_never_said() -> None:
    writer = FakeWriter(("It uses 99 W.", "It uses 98 W."))
    answer = await ask("Does it waste energy?", graph(writer), product_id=LAMP.product_id)
    assert answer.abstained
    assert "9" not in answer.answer
    assert len(writer.prompts) == 2, "one more attempt before giving up"


async def test_a_sentence_that_goes_wrong_ends_behind_its_last_true_clause() -> None:
    answer = await ask("Does it waste energy?", graph(FakeWriter(("It uses 12 W, and weighs 99 kg.",))), product_id=LAMP.product_id)
    assert answer.answer == "It uses 12 W."


async def test_the_second_attempt_may_succeed() -> None:
    answer = await ask("Does it waste energy?", graph(FakeWriter(("It uses 99 W.", "It uses 12 W."))), product_id=LAMP.product_id)
    assert (answer.answer, answer.source) == ("It uses 12 W.", "llm")


async def test_a_model_that_refuses_makes_the_platform_decline() -> None:
    answer = await ask("Does it waste energy?", graph(FakeWriter((REFUSALS["en"],))), product_id=LAMP.product_id)
    assert (answer.abstained, answer.source, answer.ai_generated, answer.citations) == (True, "none", False, ())


async def test_nothing_is_generated_without_evidence() -> None:
    writer = FakeWriter(("Sure!",))
    answer = await ask("Was it worn by a queen?", graph(writer, FakeRetriever()), product_id=LAMP.product_id)
    assert (answer.abstained, answer.source, answer.grounded) == (True, "none", False)
    assert writer.prompts == []


async def test_two_questions_are_not_the_same_because_they_name_the_same_product() -> None:
    answer = await ask("Who designed the Lumo desk lamp?", graph(retriever=FakeRetriever(known=(WARRANTY,))), product_id=LAMP.product_id)
    assert answer.source != "bank"


async def test_words_without_support_are_not_said() -> None:
    answer = await ask("Does it waste energy?", graph(FakeWriter(("It was blessed by a famous wizard.",))), product_id=LAMP.product_id)
    assert answer.abstained


async def test_a_model_that_loops_is_not_listened_to() -> None:
    answer = await ask("Does it waste energy?", graph(FakeWriter(("power power power power power",))), product_id=LAMP.product_id)
    assert answer.abstained


async def test_a_greeting_is_answered_politely() -> None:
    answer = await ask("hello", graph(retriever=FakeRetriever(), intents={"hello": "greeting"}))
    assert (answer.abstained, answer.source) == (False, "none")


async def test_a_writer_that_is_down_degrades_the_answer() -> None:
    run = await graph(FakeWriter(failure=Unavailable("down"))).run(
        AnswerRequest("Does it waste energy?", product_id=LAMP.product_id), budget_s=5
    )
    assert run.degraded
    assert run.output.abstained


async def test_the_product_in_the_hosts_hand_is_meant_when_none_is_named() -> None:
    answer = await ask("How much is it?", graph(intents={"How much is it?": "price"}), room_id=ROOM.room_id)
    assert answer.product_ids == (LAMP.product_id,)


async def test_a_product_named_in_the_question_wins_over_the_one_shown() -> None:
    question = "How much is the Terra travel mug?"
    answer = await ask(question, graph(intents={question: "price"}), room_id=ROOM.room_id)
    assert (answer.product_ids, "19" in answer.answer) == ((MUG.product_id,), True)


@pytest.mark.parametrize(
    ("question", "said"),
    [
        ("how much is number 2", "Terra travel mug is $19 right now."),
        ("2号链接多少钱", "Terra travel mug现在的价格是19美元哦。"),
        ("what's the second one?", "Number 2 is Terra travel mug, $19 right now."),
        ("第二个", "2号链接是Terra travel mug，现在的价格是19美元哦。"),
        ("which is the cheapest?", "The cheapest is Lumo desk lamp at $49.90."),  # the mug is sold out
        ("how much are the Lumo lamp and the travel mug", "Lumo desk lamp is $49.90 right now. Terra travel mug is $19 right now."),
    ],
)
async def test_the_shelf_of_the_room_is_the_stores(question: str, said: str) -> None:
    writer = FakeWriter(("It costs 1 USD.",))
    answer = await ask(question, graph(writer), room_id=ROOM.room_id)
    assert (answer.answer, answer.source, answer.abstained) == (said, "slot", False)
    assert writer.prompts == []


@pytest.mark.parametrize(
    ("question", "said"), [("how much is link 9", "There are 2 links on the shelf"), ("9号链接多少钱", "这里一共有2个链接")]
)
async def test_a_link_that_the_room_lacks_is_declined_with_how_many_there_are(question: str, said: str) -> None:
    answer = await ask(question, graph(), room_id=ROOM.room_id)
    assert answer.answer.startswith(said)
    assert (answer.abstained, answer.product_ids) == (True, ())


@pytest.mark.parametrize("question", ["?", "😍", "？？", "666"])
async def test_a_question_without_letters_is_answered_in_the_language_of_what_it_is_about(question: str) -> None:
    for named in ({"product_id": LAMP.product_id}, {"room_id": ROOM.room_id}):
        answer = await ask(question, graph(retriever=FakeRetriever()), **named)
        assert answer.answer.isascii()


@pytest.mark.parametrize(
    ("question", "said"),
    [("it arrived broken", "contact customer service"), ("the lamp stopped working", "customer service"), ("收到是坏的", "请联系客服")],
)
async def test_a_complaint_after_the_sale_is_sent_to_customer_service_and_noted(question: str, said: str) -> None:
    answer = await ask(question, graph(retriever=FakeRetriever(), intents={question: "after_sales"}), product_id=LAMP.product_id)
    assert said in answer.answer
    assert (answer.abstained, answer.source) == (True, "none")


@pytest.mark.parametrize(
    ("comment", "said"),
    [
        ("the shade fell off after two days", "customer service"),
        ("the lid leaks, I want a refund", "customer service"),
        ("用一个月涂层掉了", "请联系客服"),
        ("耳机左边没声音", "请联系客服"),
    ],
)
async def test_a_complaint_is_not_answered_with_a_specification_or_a_policy(comment: str, said: str) -> None:
    refund = Passage(
        "doc-3", "qa", "Within five days.", 0.9, question="When do I get my refund?", answer="Within five days.", relevance=0.9
    )
    writer = FakeWriter(("It uses 12 W.",))
    answer = await ask(comment, graph(writer, FakeRetriever(known=(POWER, refund))), product_id=LAMP.product_id)
    assert said in answer.answer
    assert (answer.abstained, writer.prompts) == (True, [])


@pytest.mark.parametrize("question", ["会漏水吗", "用久了会掉色吗", "does the paint come off?", "主播没声音", "what if it leaks"])
async def test_a_worry_is_no_complaint(question: str) -> None:
    answer = await ask(question, graph(retriever=FakeRetriever()), product_id=LAMP.product_id)
    assert "customer service" not in answer.answer
    assert "联系客服" not in answer.answer


async def test_a_complaint_gets_the_stored_answer_on_complaints() -> None:
    broken = Passage("doc-4", "qa", "", 0.9, question="My lamp arrived broken, what now?", answer="Send us a photo.", relevance=0.9)
    answer = await ask("my lamp arrived broken", graph(retriever=FakeRetriever(known=(broken,))), product_id=LAMP.product_id)
    assert (answer.answer, answer.source) == ("Send us a photo.", "bank")


async def test_a_stored_question_is_never_the_answer() -> None:
    asked = Passage("doc-5", "document", "Does it waste energy? It uses 12 W.", 0.9, relevance=0.9)
    writer = FakeWriter(("Does it waste energy",))
    answer = await ask("Does it waste energy?", graph(writer, FakeRetriever(known=(asked, POWER))), product_id=LAMP.product_id)
    assert "waste" not in answer.answer


async def test_a_stored_answer_to_another_question_is_not_given() -> None:
    hours = Passage("doc-2", "qa", "每天 9 点到 23 点。", 0.49, question="怎么联系人工客服？", answer="每天 9 点到 23 点。", relevance=0.08)
    assert (await ask("怎么用", graph(retriever=FakeRetriever(known=(hours,))), product_id=LAMP.product_id)).abstained


@pytest.mark.parametrize(
    ("named", "param"),
    [({"room_id": RoomId("x")}, "room_id"), ({"product_id": ProductId("x")}, "product_id"), ({"viewer_id": ViewerId("x")}, "viewer_id")],
)
async def test_unknown_names_are_not_found(named: dict[str, object], param: str) -> None:
    with pytest.raises(NotFound) as caught:
        await ask("How much?", graph(), **named)
    assert caught.value.param == param


async def test_a_known_viewer_may_ask() -> None:
    assert (await ask("Was it worn by a queen?", graph(retriever=FakeRetriever()), viewer_id=VIEWER)).abstained


async def test_a_host_is_no_viewer() -> None:
    with pytest.raises(NotFound) as caught:
        await ask("How much is it?", graph(), viewer_id=DISPLAY.viewer_id)
    assert caught.value.param == "viewer_id"


async def test_the_tokens_joined_are_the_answer() -> None:
    over = graph(FakeWriter(("It uses 12 W, and it is made of aluminium.",)))
    steps = [step async for step in over.stream(AnswerRequest("Does it waste energy?", product_id=LAMP.product_id), budget_s=5)]
    (run,) = [step for step in steps if isinstance(step, Run)]
    said = [step for step in steps if isinstance(step, str)]
    assert "".join(said) == run.output.answer
    assert len(said) > 1
    assert sum(isinstance(step, Said) for step in steps) == 1


async def test_a_reader_who_leaves_aborts_the_generation() -> None:
    writer = FakeWriter(("It uses 12 W, made of aluminium, " * 2,), delay_s=0.001)
    async with aclosing(graph(writer).stream(AnswerRequest("Does it waste energy?", product_id=LAMP.product_id), budget_s=5)) as steps:
        async for _ in steps:
            break
    assert writer.aborted == 1
    said = writer.said
    await asyncio.sleep(0.01)
    assert writer.said == said


@pytest.mark.parametrize("question", ["?", "？？", "3", "😀", "这个呢？", "is it?"])
async def test_where_nothing_is_asked_nobody_writes_and_it_is_asked_back(question: str) -> None:
    writer = FakeWriter(("It uses 12 W.",))
    answer = await ask(question, graph(writer), product_id=LAMP.product_id)
    assert (answer.source, answer.abstained, writer.prompts) == ("none", False, [])
    assert answer.answer.startswith("What would you like" if answer.answer.isascii() else "您想了解")


@pytest.mark.parametrize(
    ("language", "text"), [("zh", "The3 is 到 5 天"), ("zh", "The发货很快"), ("en", "功率是12瓦"), ("zh", "It uses 12 W.")]
)
async def test_a_text_in_two_languages_or_in_the_wrong_one_is_never_said(language: str, text: str) -> None:
    answer = await ask("Does it waste energy?", graph(FakeWriter((text,))), product_id=LAMP.product_id, language=language)
    assert answer.abstained


@pytest.mark.parametrize("question", ["1", "1？"])
async def test_a_bare_number_in_a_room_is_a_link(question: str) -> None:
    answer = await ask(question, graph(), room_id=ROOM.room_id)
    assert (answer.source, answer.product_ids) == ("slot", (ROOM.shelf[0],))
    assert (await ask("99", graph(), room_id=ROOM.room_id)).product_ids == ()
