"""What backends keep up to date, and what the server knows about viewers, questions and experiments."""

from asyncio import to_thread
from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Generic, Unpack

from livecart_client import wire
from livecart_client.asynchronous.sending import Sender
from livecart_client.core import graphs, state
from livecart_client.core.calls import Upserted
from livecart_client.core.options import CallOptions, PageOptions, QuestionAnswerOptions, QuestionPageOptions, RoomPageOptions
from livecart_client.core.state import K, Kept
from livecart_client.pictures import Picture, encoded


class _Objects(Generic[K]):
    """Objects that are kept under ids of yours."""

    def __init__(self, sender: Sender, kept: Kept[K]) -> None:
        self._sender = sender
        self._kept = kept

    async def put(self, value: K, **options: Unpack[CallOptions]) -> K:
        """Make or replace it."""
        return await self._sender.send(state.put(self._kept, value, options))

    async def get(self, value_id: str, **options: Unpack[CallOptions]) -> K:
        return await self._sender.send(state.get(self._kept, value_id, options))

    async def delete(self, value_id: str, **options: Unpack[CallOptions]) -> None:
        """Raises NotFound where there is none."""
        await self._sender.send(state.delete(self._kept, value_id, options))


class _Listed(_Objects[K]):
    async def page(self, **options: Unpack[PageOptions]) -> wire.Page[K]:
        return await self._sender.send(state.page(self._kept, options))

    async def each(self, **options: Unpack[PageOptions]) -> AsyncIterator[K]:
        """All of them, page by page as they are needed."""
        while True:
            page = await self.page(**options)
            for value in page.items:
                yield value
            if page.next_cursor is None:
                return
            options["cursor"] = page.next_cursor


class Products(_Listed[wire.Product]):
    async def put_many(self, products: Iterable[wire.Product], **options: Unpack[CallOptions]) -> Upserted:
        """Up to 1,000, all or none. Raises InvalidRow with the rows at fault in `details`."""
        return await self._sender.send(state.put_products(products, options))

    async def enrol(self, product_id: str, pictures: Sequence[Picture], **options: Unpack[CallOptions]) -> wire.Views:
        """Teach what a product looks like."""
        ready = [await to_thread(encoded, picture) for picture in pictures]
        return await self._sender.send(state.enrol(product_id, ready, options))


class Knowledge(_Listed[wire.Document]):
    async def put_many(self, documents: Iterable[wire.Document], **options: Unpack[CallOptions]) -> Upserted:
        """Up to 1,000, all or none. Raises InvalidRow with the rows at fault in `details`."""
        return await self._sender.send(state.put_documents(documents, options))


class Rooms(_Objects[wire.Room]):
    async def page(self, **options: Unpack[RoomPageOptions]) -> wire.Page[wire.Room]:
        return await self._sender.send(state.page(self._kept, options))

    async def each(self, **options: Unpack[RoomPageOptions]) -> AsyncIterator[wire.Room]:
        """All of them, page by page as they are needed."""
        while True:
            page = await self.page(**options)
            for value in page.items:
                yield value
            if page.next_cursor is None:
                return
            options["cursor"] = page.next_cursor


class Viewers:
    def __init__(self, sender: Sender) -> None:
        self._sender = sender

    async def get(self, viewer_id: str, **options: Unpack[CallOptions]) -> wire.Viewer:
        """All that is held about a viewer."""
        return await self._sender.send(state.viewer(viewer_id, options))

    async def erase(self, viewer_id: str, **options: Unpack[CallOptions]) -> None:
        """Events stay for the record and lose every link to the person."""
        await self._sender.send(state.erase_viewer(viewer_id, options))


class Questions:
    """What was declined or answered by the LLM."""

    def __init__(self, sender: Sender) -> None:
        self._sender = sender

    async def page(self, **options: Unpack[QuestionPageOptions]) -> wire.Page[wire.Question]:
        return await self._sender.send(state.questions(options))

    async def each(self, **options: Unpack[QuestionPageOptions]) -> AsyncIterator[wire.Question]:
        """All of them, page by page as they are needed."""
        while True:
            page = await self.page(**options)
            for value in page.items:
                yield value
            if page.next_cursor is None:
                return
            options["cursor"] = page.next_cursor

    async def get(self, question_id: str, **options: Unpack[CallOptions]) -> wire.Question:
        return await self._sender.send(state.question(question_id, options))

    async def answer(self, question_id: str, answer: str, **options: Unpack[QuestionAnswerOptions]) -> wire.Document:
        """Raises Conflict when it was answered otherwise or dismissed."""
        return await self._sender.send(state.answer_question(question_id, answer, options))

    async def dismiss(self, question_id: str, **options: Unpack[CallOptions]) -> None:
        await self._sender.send(state.dismiss_question(question_id, options))


class Experiments:
    def __init__(self, sender: Sender) -> None:
        self._sender = sender

    async def page(self, **options: Unpack[CallOptions]) -> wire.Page[wire.Experiment]:
        return await self._sender.send(state.experiments(options))

    async def get(self, name: str, **options: Unpack[CallOptions]) -> wire.Experiment:
        return await self._sender.send(state.experiment(name, options))


class Graphs:
    """The inference graphs as they are served."""

    def __init__(self, sender: Sender) -> None:
        self._sender = sender

    async def page(self, **options: Unpack[CallOptions]) -> wire.Page[wire.ServedGraph]:
        return await self._sender.send(graphs.served(options))

    async def get(self, name: str, **options: Unpack[CallOptions]) -> wire.ServedGraph:
        """Nodes with their timeouts, fallbacks, places and latest latencies."""
        return await self._sender.send(graphs.served_one(name, options))

    async def mermaid(self, name: str, **options: Unpack[CallOptions]) -> str:
        """The drawing."""
        return await self._sender.send(graphs.drawn(name, options))
