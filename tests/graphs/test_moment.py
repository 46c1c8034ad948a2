import pytest

from graphs.answer import AnswerNodes, answer_graph
from graphs.answering.known import Nearness
from graphs.answering.speaking import Speaker
from graphs.errors import InvalidRequest, Unavailable
from graphs.fakes import FakeComprehension, FakeDetector, FakeRanker, FakeRetriever, FakeShop, FakeWriter
from graphs.flow import Graph
from graphs.moment import MomentReply, MomentRequest, moment_graph, on_screen
from graphs.recognize import FrameSize, ProductMatch, RecognizeNodes, RecognizeReply, SeenProduct, recognize_graph
from graphs.recommend import RecommendNodes, recommend_graph
from models.types import Candidate
from tests.graphs.world import ENTER, LAMP, LAMP_MATCH, MUG, PEN, POWER, ROOM, VIEWER


def graph(detector: FakeDetector | None = None) -> Graph[MomentRequest, MomentReply]:
    shop = FakeShop((LAMP, MUG, PEN), (ROOM,), (ENTER,))
    behaviour = (Candidate(PEN.product_id, "popular", 1.0), Candidate(LAMP.product_id, "popular", 0.5))
    retriever = FakeRetriever(enrolled=(LAMP_MATCH,), known=(POWER,), behaviour=behaviour)
    comprehension = FakeComprehension({"how much?": "price"})
    return moment_graph(
        recognize_graph(RecognizeNodes(detector or FakeDetector(), retriever, shop, 0.5)),
        answer_graph(AnswerNodes(shop, retriever, comprehension, shop, Speaker(FakeWriter()), Nearness(0.8, 0.6, 0.3))),
        recommend_graph(RecommendNodes(shop, shop, retriever, FakeRanker())),
    )


async def test_one_call_sees_answers_and_recommends() -> None:
    run = await graph().run(MomentRequest(b"jpeg", VIEWER, comment="how much?"), budget_s=5)
    assert run.output.products[0].matches[0].product_id == LAMP.product_id
    assert run.output.answer is not None
    assert "49.90" in run.output.answer.answer
    assert [item.product_id for item in run.output.recommendations] == [PEN.product_id], "what is on screen is not recommended back"
    assert not run.degraded


async def test_without_a_comment_nothing_is_answered() -> None:
    run = await graph().run(MomentRequest(b"jpeg", VIEWER), budget_s=5)
    assert run.output.answer is None
    assert {str(span.outcome) for span in run.spans if span.node.split("/")[0] == "answer"} == {"skipped"}


async def test_a_blind_eye_degrades_and_the_rest_goes_on() -> None:
    run = await graph(FakeDetector(failure=Unavailable("down"))).run(MomentRequest(b"jpeg", VIEWER, comment="how much?"), budget_s=5)
    assert run.degraded
    assert run.output.products == ()
    assert run.output.recommendations


async def test_a_bad_picture_is_the_callers_fault() -> None:
    with pytest.raises(InvalidRequest):
        await graph(FakeDetector(failure=InvalidRequest("not a picture", param="frame"))).run(MomentRequest(b"?", VIEWER), budget_s=5)


def test_the_largest_product_on_screen_is_the_one_that_is_meant() -> None:
    small = SeenProduct((0, 0, 10, 10), 0.9, "home", (ProductMatch(PEN.product_id, PEN.title, 0.9),))
    large = SeenProduct((0, 0, 90, 90), 0.4, "home", (ProductMatch(LAMP.product_id, LAMP.title, 0.8),))
    unknown = SeenProduct((0, 0, 99, 99), 0.4, "home", ())
    assert on_screen(RecognizeReply(FrameSize(100, 100), (small, unknown, large))) == (LAMP.product_id, PEN.product_id)
