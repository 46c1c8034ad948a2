"""Every method against the real HTTP front, in-process and over a port, by both clients."""

from datetime import UTC, datetime
from decimal import Decimal
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import pytest
from PIL import Image

from livecart_client import AsyncClient, errors, wire
from tests.hostile_requests import JPEG

CUP = wire.Product(product_id="杯-1", title="Cup", category="kitchen", price=wire.Money(amount=Decimal("12.50"), currency="CNY"))


def event(event_id: str) -> wire.Event:
    return wire.Event(event_id=event_id, viewer_id="V-7", type="click", at=datetime(2026, 1, 1, tzinfo=UTC), product_id="P-1")


async def test_a_frame_may_be_bytes_a_path_an_image_or_an_array(client: AsyncClient, tmp_path: Path) -> None:
    (tmp_path / "frame.jpg").write_bytes(JPEG)
    with Image.open(BytesIO(JPEG)) as image:
        image.load()
        for frame in (JPEG, tmp_path / "frame.jpg", str(tmp_path / "frame.jpg"), image, np.asarray(image)):
            seen = await client.recognize(frame, room_id="R-1", top_k=1)
            assert all(len(product.matches) <= 1 for product in seen.products)


async def test_an_answer_and_its_stream_say_the_same(client: AsyncClient) -> None:
    whole = await client.answer("How long does it take to deliver?", viewer_id="V-1", language="en", trace=True)
    assert whole.trace is not None
    assert whole.trace.graph == "answer"
    async with client.stream_answer("How long does it take to deliver?", viewer_id="V-1", language="en") as tokens:
        said = "".join([token async for token in tokens])
        assert (await tokens.reply()).answer == said == whole.answer


async def test_a_stream_may_be_read_to_its_end_or_left_at_once(client: AsyncClient) -> None:
    async with client.stream_answer("Is it heavy?", product_id="P-1") as tokens:
        assert isinstance(await tokens.reply(), wire.AnswerReply)
    async with client.stream_answer("Is it heavy?", product_id="P-1"):
        pass
    assert (await client.healthz()).status == "ok"


async def test_a_script_and_its_stream(client: AsyncClient) -> None:
    whole = await client.script(["P-1"], language="en", duration_s=30)
    assert whole.ai_generated
    async with client.stream_script(["P-1"], language="en", duration_s=30) as tokens:
        said = "".join([token async for token in tokens])
        assert said == "\n".join(segment.text for segment in (await tokens.reply()).segments)


async def test_texts_are_written_and_analyzed(client: AsyncClient) -> None:
    assert (await client.copy("P-1", "ad", language="en")).text
    assert isinstance(await client.analyze("Thermos, the best of all.", language="en"), wire.AnalyzeReply)


async def test_products_and_rooms_are_recommended(client: AsyncClient) -> None:
    chosen = await client.recommend_products("V-1", room_id="R-1", k=2, context=["P-1"], exclude=["P-2"], within="room")
    assert {"P-1", "P-2"}.isdisjoint(item.product_id for item in chosen.items)
    assert 1 <= len((await client.recommend_rooms("V-1", k=3)).rooms) <= 3


async def test_a_moment_is_all_of_it(client: AsyncClient) -> None:
    seen = await client.moment(JPEG, "V-1", room_id="R-1", comment="Is it in stock?", k=1)
    assert seen.answer is not None
    assert (await client.moment(JPEG, "V-1")).answer is None


async def test_products_are_kept(client: AsyncClient) -> None:
    assert await client.products.put(CUP) == CUP
    assert await client.products.get("杯-1") == CUP
    assert (await client.products.put_many([CUP, CUP.model_copy(update={"product_id": "杯-2"})])).upserted == 2
    listed = {product.product_id async for product in client.products.each(limit=1)}
    assert {"P-1", "P-2", "杯-1", "杯-2"} <= listed
    page = await client.products.page(limit=2)
    assert len(page.items) == 2
    assert page.next_cursor is not None
    assert (await client.products.enrol("杯-1", [JPEG, JPEG])).views >= 1
    await client.products.delete("杯-1")
    with pytest.raises(errors.NotFound):
        await client.products.get("杯-1")


async def test_knowledge_is_kept(client: AsyncClient) -> None:
    document = wire.Document(document_id="D-9", kind="document", text="It is made of steel.")
    assert await client.knowledge.put(document) == document
    assert (await client.knowledge.put_many([document])).upserted == 1
    assert await client.knowledge.get("D-9") == document
    assert document in [found async for found in client.knowledge.each()]
    await client.knowledge.delete("D-9")
    with pytest.raises(errors.NotFound):
        await client.knowledge.delete("D-9")


async def test_rooms_are_kept(client: AsyncClient) -> None:
    room = wire.Room(room_id="R-9", title="Night", host="Lin", live=False, shelf=("P-1",))
    assert await client.rooms.put(room) == room
    assert await client.rooms.get("R-9") == room
    assert room in [found async for found in client.rooms.each(limit=1)]
    assert room not in (await client.rooms.page(live=True)).items
    await client.rooms.delete("R-9")


async def test_events_count_once_and_viewers_can_be_forgotten(client: AsyncClient) -> None:
    first, second = uuid4().hex, uuid4().hex
    assert await client.send_events([event(first), event(second)]) == wire.Accepted(accepted=2, duplicates=0)
    assert await client.send_events([event(first)]) == wire.Accepted(accepted=0, duplicates=1)
    assert {held.event_id for held in (await client.viewers.get("V-7")).events} == {first, second}
    await client.viewers.erase("V-7")
    with pytest.raises(errors.NotFound):
        await client.viewers.get("V-7")
    assert (await client.send_events([event(second)])).duplicates == 1


async def test_questions_and_experiments_can_be_asked_for(client: AsyncClient) -> None:
    assert isinstance((await client.questions.page(status="all", order="newest")).items, list)
    assert [question async for question in client.questions.each(room_id="R-none")] == []
    for call in (client.questions.get("77"), client.questions.answer("77", "Yes."), client.questions.dismiss("77")):
        with pytest.raises(errors.NotFound):
            await call
    assert (await client.experiments.page()).items == []
    with pytest.raises(errors.NotFound):
        await client.experiments.get("none")


async def test_graphs_are_described_and_drawn(client: AsyncClient) -> None:
    served = {graph.name: graph for graph in (await client.graphs.page()).items}
    assert {"recognize", "answer", "moment"} <= served.keys()
    one = await client.graphs.get("recognize")
    assert [node.name for node in one.nodes] == [node.name for node in served["recognize"].nodes]
    assert one.output in {node.name for node in one.nodes}
    assert (await client.graphs.mermaid("recognize")).startswith("flowchart")
    with pytest.raises(errors.NotFound):
        await client.graphs.mermaid("none")


async def test_probes(client: AsyncClient) -> None:
    assert (await client.healthz()).status == "ok"
    assert (await client.readyz()).status == "ready"


async def test_an_error_says_all_that_the_server_said(client: AsyncClient) -> None:
    with pytest.raises(errors.NotFound) as found:
        await client.answer("Is it warm?", room_id="R-none", request_id="req-1")
    error = found.value
    assert (error.code, error.param, error.request_id, error.status) == ("not_found", "room_id", "req-1", 404)
    assert "R-none" in error.message
    with pytest.raises(errors.UnsupportedMedia):
        await client.recognize(b"no picture")
    with pytest.raises(errors.NotFound):
        async with client.stream_answer("Is it warm?", product_id="P-none"):
            pass


async def test_rows_at_fault_are_named(client: AsyncClient) -> None:
    wrong = wire.Event.model_construct(_fields_set={"event_id"}, event_id="E-9")
    with pytest.raises(errors.InvalidEvent) as found:
        await client.send_events([event("E-10"), wrong])
    assert [row["index"] for row in found.value.details] == [1]


async def test_a_spent_deadline_is_the_callers(client: AsyncClient) -> None:
    with pytest.raises(errors.DeadlineExceeded):
        await client.answer("Is it warm?", deadline_s=0.000_01)


async def test_what_the_server_would_refuse_is_not_sent(client: AsyncClient) -> None:
    with pytest.raises(errors.InvalidRequest) as found:
        await client.recommend_products("V-1", k=1_000)
    assert (found.value.param, found.value.status) == ("k", None)
    for call in (
        client.products.get("a/b"),
        client.answer("  "),
        client.healthz(deadline_s=0),
        client.healthz(request_id="a b"),
        client.products.enrol("P-1", []),
    ):
        with pytest.raises(errors.InvalidRequest):
            await call


async def test_an_option_that_does_not_exist_is_found(client: AsyncClient) -> None:
    wrong: Any = {"limt": 3}
    for call in (client.products.page(**wrong), client.rooms.get("R-1", **wrong), client.answer("Is it warm?", **wrong)):
        with pytest.raises(errors.InvalidRequest) as found:
            await call
        assert found.value.param == "limt"
