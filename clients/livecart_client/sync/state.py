"""What backends keep up to date, and what the server knows about viewers, questions and experiments."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Generic, Unpack

from livecart_client import wire
from livecart_client.core import graphs, state
from livecart_client.core.calls import Upserted
from livecart_client.core.options import CallOptions, PageOptions, QuestionAnswerOptions, QuestionPageOptions, RoomPageOptions
from livecart_client.core.state import K, Kept
from livecart_client.pictures import Picture, encoded
from livecart_client.sync.sending import Sender


class _Objects(Generic[K]):
    """Objects that are kept under ids of yours."""

    def __init__(self, sender: Sender, kept: Kept[K]) -> None:
        self._sender = sender
        self._kept = kept

    def put(self, value: K, **options: Unpack[CallOptions]) -> K:
        """Make or replace it."""
        return self._sender.send(state.put(self._kept, value, options))

    def get(self, value_id: str, **options: Unpack[CallOptions]) -> K:
        return self._sender.send(state.get(self._kept, value_id, options))

    def delete(self, value_id: str, **options: Unpack[CallOptions]) -> None:
        """Raises NotFound where there is none."""
        self._sender.send(state.delete(self._kept, value_id, options))


class _Listed(_Objects[K]):
    def page(self, **options: Unpack[PageOptions]) -> wire.Page[K]:
        return self._sender.send(state.page(self._kept, options))

    def each(self, **options: Unpack[PageOptions]) -> Iterator[K]:
        """All of them, page by page as they are needed."""
        while True:
            page = self.page(**options)
            yield from page.items
            if page.next_cursor is None:
                return
            options["cursor"] = page.next_cursor


class Products(_Listed[wire.Product]):
    def put_many(self, products: Iterable[wire.Product], **options: Unpack[CallOptions]) -> Upserted:
        """Up to 1,000, all or none. Raises InvalidRow with the rows at fault in `details`."""
        return self._sender.send(state.put_products(products, options))

    def enrol(self, product_id: str, pictures: Sequence[Picture], **options: Unpack[CallOptions]) -> wire.Views:
        """Teach what a product looks like."""
        return self._sender.send(state.enrol(product_id, [encoded(picture) for picture in pictures], options))


class Knowledge(_Listed[wire.Document]):
    def put_many(self, documents: Iterable[wire.Document], **options: Unpack[CallOptions]) -> Upserted:
        """Up to 1,000, all or none. Raises InvalidRow with the rows at fault in `details`."""
        return self._sender.send(state.put_documents(documents, options))


class Rooms(_Objects[wire.Room]):
    def page(self, **options: Unpack[RoomPageOptions]) -> wire.Page[wire.Room]:
        return self._sender.send(state.page(self._kept, options))

    def each(self, **options: Unpack[RoomPageOptions]) -> Iterator[wire.Room]:
        """All of them, page by page as they are needed."""
        while True:
            page = self.page(**options)
            yield from page.items
            if page.next_cursor is None:
                return
            options["cursor"] = page.next_cursor


class Viewers:
    def __init__(self, sender: Sender) -> None:
        self._sender = sender

    def get(self, viewer_id: str, **options: Unpack[CallOptions]) -> wire.Viewer:
        """All that is held about a viewer."""
        return self._sender.send(state.viewer(viewer_id, options))

    def erase(self, viewer_id: str, **options: Unpack[CallOptions]) -> None:
        """Events stay for the record and lose every link to the person."""
        self._sender.send(state.erase_viewer(viewer_id, options))


class Questions:
    """What was declined or answered by the LLM."""

    def __init__(self, sender: Sender) -> None:
        self._sender = sender

    def page(self, **options: Unpack[QuestionPageOptions]) -> wire.Page[wire.Question]:
        return self._sender.send(state.questions(options))

    def each(self, **options: Unpack[QuestionPageOptions]) -> Iterator[wire.Question]:
        """All of them, page by page as they are needed."""
        while True:
            page = self.page(**options)
            yield from page.items
            if page.next_cursor is None:
                return
            options["cursor"] = page.next_cursor

    def get(self, question_id: str, **options: Unpack[CallOptions]) -> wire.Question:
        return self._sender.send(state.question(question_id, options))

    def answer(self, question_id: str, answer: str, **options: Unpack[QuestionAnswerOptions]) -> wire.Document:
        """Raises Conflict when it was answered otherwise or dismissed."""
        return self._sender.send(state.answer_question(question_id, answer, options))

    def dismiss(self, question_id: str, **options: Unpack[CallOptions]) -> None:
        self._sender.send(state.dismiss_question(question_id, options))


class Experiments:
    def __init__(self, sender: Sender) -> None:
        self._sender = sender

    def page(self, **options: Unpack[CallOptions]) -> wire.Page[wire.Experiment]:
        return self._sender.send(state.experiments(options))

    def get(self, name: str, **options: Unpack[CallOptions]) -> wire.Experiment:
        return self._sender.send(state.experiment(name, options))


class Graphs:
    """The inference graphs as they are served."""

    def __init__(self, sender: Sender) -> None:
        self._sender = sender

    def page(self, **options: Unpack[CallOptions]) -> wire.Page[wire.ServedGraph]:
        return self._sender.send(graphs.served(options))

    def get(self, name: str, **options: Unpack[CallOptions]) -> wire.ServedGraph:
        """Nodes with their timeouts, fallbacks, places and latest latencies."""
        return self._sender.send(graphs.served_one(name, options))

    def mermaid(self, name: str, **options: Unpack[CallOptions]) -> str:
        """The drawing."""
        return self._sender.send(graphs.drawn(name, options))
