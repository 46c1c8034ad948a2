import pytest

from graphs.errors import NotFound
from graphs.fakes import FakeDetector, FakeRetriever, FakeShop
from graphs.recognize import RecognizeNodes, RecognizeRequest, recognize_graph
from models.types import Match, ProductId, RoomId
from tests.graphs.world import LAMP, LAMP_MATCH, MUG, ROOM


def graph(*enrolled: Match, threshold: float | None = 0.5):  # type: ignore[no-untyped-def]  # noqa: ANN201  # as inferred
    shop = FakeShop((LAMP, MUG), (ROOM,))
    return recognize_graph(RecognizeNodes(FakeDetector(), FakeRetriever(enrolled=enrolled), shop, threshold))


async def test_names_what_it_sees() -> None:
    run = await graph(LAMP_MATCH).run(RecognizeRequest(b"jpeg"), budget_s=1)
    (seen,) = run.output.products
    assert (seen.matches[0].product_id, seen.matches[0].title, seen.box) == (LAMP.product_id, LAMP.title, (0, 0, 320, 240))
    assert (run.output.frame.width, run.output.frame.height) == (640, 480)


async def test_an_object_below_the_threshold_stays_unknown() -> None:
    run = await graph(Match(LAMP.product_id, 0.49)).run(RecognizeRequest(b"jpeg"), budget_s=1)
    assert run.output.products[0].matches == ()


async def test_the_threshold_comes_with_the_embedder_unless_the_settings_name_one() -> None:
    run = await graph(Match(LAMP.product_id, 0.49), threshold=None).run(RecognizeRequest(b"jpeg"), budget_s=1)
    assert run.output.products[0].matches == ()


async def test_a_room_limits_matches_to_its_shelf() -> None:
    elsewhere = Match(ProductId("sku-pen"), 0.99)
    run = await graph(elsewhere, LAMP_MATCH).run(RecognizeRequest(b"jpeg", ROOM.room_id), budget_s=1)
    assert [m.product_id for m in run.output.products[0].matches] == [LAMP.product_id]


async def test_an_unknown_room_is_not_found() -> None:
    with pytest.raises(NotFound) as caught:
        await graph(LAMP_MATCH).run(RecognizeRequest(b"jpeg", RoomId("nowhere")), budget_s=1)
    assert caught.value.param == "room_id"


async def test_a_product_deleted_meanwhile_is_left_out() -> None:
    run = await graph(Match(ProductId("gone"), 0.9)).run(RecognizeRequest(b"jpeg"), budget_s=1)
    assert run.output.products[0].matches == ()


async def test_min_score_hides_uncertain_boxes() -> None:
    run = await graph(LAMP_MATCH).run(RecognizeRequest(b"jpeg", min_score=0.95), budget_s=1)
    assert run.output.products == ()
