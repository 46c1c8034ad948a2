"""Question -> what it is about -> slot, stored answer or a grounded generation -> one checked reply, streamed."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass

from graphs.answering.comment import after_sales, is_open, is_wordless, language_of, politely
from graphs.answering.known import Known, Nearness, of_one_product
from graphs.answering.phrases import ask_back, decline, is_after_sales, no_such_link, small_talk
from graphs.answering.shelf import extreme_answer, link_answer, mentioned_together, several_answer
from graphs.answering.speaking import Draft, Said, Speaks, Step, declined, quote, whole
from graphs.answering.whether import whether_answer
from graphs.checking.support import is_question
from graphs.errors import NotFound
from graphs.flow import GraphBuilder, StreamGraph
from graphs.ports import Catalog, Comprehension, Knowledge, Viewers
from graphs.reading.links import NamedLinks, named_links
from graphs.reading.slots import SlotAnswer, facts_of, slot_answer
from graphs.viewers import known_history
from models.types import Label, Language, Passage, Product, ProductId, Room, RoomId, ViewerId

PASSAGES = 12
UNCLEAR = Label("unclear", 0.0)


@dataclass(frozen=True, slots=True)
class AnswerRequest:
    question: str
    room_id: RoomId | None = None
    product_id: ProductId | None = None
    viewer_id: ViewerId | None = None
    language: Language | None = None
    on_screen: tuple[ProductId, ...] = ()  # what `moment` saw: the question is about these unless it names another
    charged_to: RoomId | None = None  # whose generated answers this one counts among, if it is generated


@dataclass(frozen=True, slots=True)
class AnswerReply:
    answer: str
    grounded: bool
    abstained: bool
    source: str
    citations: tuple[Passage, ...]
    intent: Label
    sentiment: Label
    product_ids: tuple[ProductId, ...]
    ai_generated: bool


@dataclass(frozen=True, slots=True)
class Scope:
    """What the caller named, looked up."""

    language: Language
    room: Room | None
    product: Product | None
    shelf: tuple[Product, ...]  # of the room, in display order
    links: NamedLinks  # numbers of links that the question names, and the question without them

    @property
    def linked(self) -> tuple[Product, ...]:
        """The products under the numbers that the question names, those that the room has."""
        known = {product.product_id: product for product in self.shelf}
        order = self.room.shelf if self.room else ()
        return tuple(known[order[place - 1]] for place in self.links.places if 1 <= place <= len(order) and order[place - 1] in known)

    @property
    def names_no_link(self) -> bool:
        """Whether a number is named that no link of the room has."""
        return len(self.linked) < len(self.links.places)


@dataclass(frozen=True, slots=True)
class AnswerNodes:
    catalog: Catalog
    knowledge: Knowledge
    comprehension: Comprehension
    viewers: Viewers
    speaker: Speaks
    nearness: Nearness

    async def scope(self, request: AnswerRequest) -> Scope:
        room = await self._room(request.room_id)
        wanted = {*(room.shelf if room else ()), *((request.product_id,) if request.product_id else ())}
        products = await self.catalog.products(wanted)
        if request.product_id is not None and request.product_id not in products:
            raise NotFound(f"no product `{request.product_id}`; PUT /v1/products/{request.product_id} makes it", param="product_id")
        product = products[request.product_id] if request.product_id else None
        return Scope(
            language=request.language or language_of(request.question, product, room),
            room=room,
            product=product,
            shelf=tuple(products[p] for p in room.shelf if p in products) if room else (),
            links=named_links(request.question, len(room.shelf)) if room else NamedLinks((), request.question),
        )

    async def _room(self, room_id: RoomId | None) -> Room | None:
        if room_id is None:
            return None
        room = await self.catalog.room(room_id)
        if room is None:
            raise NotFound(f"no room `{room_id}`; PUT /v1/rooms/{room_id} makes it", param="room_id")
        return room

    async def welcome(self, request: AnswerRequest) -> AnswerRequest:
        """The request, when its viewer is known or not named: nothing is said before that is clear."""
        if request.viewer_id is not None:
            await known_history(self.viewers, request.viewer_id, limit=1)
        return request

    async def intent(self, request: AnswerRequest) -> Label:
        return await self.comprehension.intent(request.question)

    async def sentiment(self, request: AnswerRequest) -> Label:
        return await self.comprehension.sentiment(request.question)

    async def subject(self, request: AnswerRequest, scope: Scope) -> tuple[Product, ...]:
        """The products a question is about: by the number of a link, by id, by title, on screen, in the host's hand; else none."""
        if scope.links.places:
            return scope.linked
        if scope.product is not None:
            return (scope.product,)
        on_screen = await self.catalog.products(request.on_screen)
        choice = scope.shelf or tuple(on_screen.values()) or await self._plausible(request.question)
        named = mentioned_together(request.question, choice)
        if named:
            return tuple(p for p in choice if p.product_id in named)
        if on_screen:
            return tuple(on_screen[p] for p in request.on_screen if p in on_screen)[:1]
        return tuple(p for p in scope.shelf if scope.room and p.product_id == scope.room.showing)

    async def _plausible(self, question: str) -> tuple[Product, ...]:
        found = await self.knowledge.passages(question, products=None, k=PASSAGES)
        return tuple((await self.catalog.products({p.product_id for p in found if p.product_id})).values())

    async def passages(self, request: AnswerRequest, scope: Scope, subject: tuple[Product, ...]) -> tuple[Passage, ...]:
        about = subject or scope.shelf
        within = frozenset(p.product_id for p in about) if about else None
        return await self.knowledge.passages(scope.links.rest or request.question, products=within, k=PASSAGES)

    @staticmethod
    def slot(request: AnswerRequest, scope: Scope, intent: Label, subject: tuple[Product, ...]) -> SlotAnswer | None:
        """Values straight from the store; only when it is clear which products are meant."""
        question, language = scope.links.rest, scope.language
        if scope.links.places and not scope.links.asks_more:
            return None if scope.names_no_link else link_answer(scope.links.places, subject, language)
        if scope.shelf and not scope.links.places and scope.product is None and (found := extreme_answer(question, scope.shelf, language)):
            return found
        if len(subject) != 1:
            return several_answer(question, subject, language)
        label = "" if is_open(request.question, intent) else intent.label
        return whether_answer(question, subject[0], language) or slot_answer(
            question, label, subject[0], room=scope.room, language=language
        )

    def draft(
        self,
        request: AnswerRequest,
        scope: Scope,
        intent: Label,
        subject: tuple[Product, ...],
        passages: tuple[Passage, ...],
        slot: SlotAnswer | None,
    ) -> Draft:
        """Decide who answers: the store, what is written down, the LLM with evidence, or nobody."""
        language = scope.language
        if scope.names_no_link:
            return Draft(language, said=Said(no_such_link(len(scope.shelf), language), "none", abstained=True))
        complaint = None if is_question(request.question) else after_sales(request.question, language)
        if slot is not None and complaint is None:
            return Draft(language, said=Said(slot.text, "slot", (slot.evidence, *slot.beside)))
        if is_wordless(scope.links.rest):
            return Draft(language, said=Said(politely(request.question, intent, language) or ask_back(language), "none"))
        known = Known.read(scope.links.rest, subject, of_one_product(passages))
        asks = is_open(request.question, intent) or small_talk(intent.label, language) is None
        quoted = known.quoted(language, self.nearness) if asks else None
        if quoted is not None and (complaint is None or any(is_after_sales(cited.question or "") for cited in quoted.citations)):
            return Draft(language, said=quoted)
        if complaint is not None:
            return Draft(language, said=complaint)
        evidence = known.evidence(self.nearness)
        if evidence and asks:
            return Draft(
                language,
                question=scope.links.rest,
                evidence=evidence,
                facts=tuple(fact.text for product in subject for fact in facts_of(product)),
                titles=tuple(p.title for p in subject),
                instead=known.likely(language, self.nearness) or after_sales(request.question, language),
                charged_to=request.charged_to,
            )
        polite = politely(request.question, intent, language)
        said = Said(polite, "none") if polite else Said(decline(language), "none", abstained=True)
        return Draft(language, said=after_sales(request.question, language) or said)

    def generate(self, draft: Draft) -> AsyncGenerator[Step, None]:
        return self.speaker.generate(draft)

    @staticmethod
    def reply(intent: Label, sentiment: Label, subject: tuple[Product, ...], said: Said) -> AnswerReply:
        cited = tuple(p.product_id for p in said.citations if p.product_id)
        return AnswerReply(
            answer=said.text,
            grounded=bool(said.citations),
            abstained=said.abstained,
            source=said.source,
            citations=said.citations,
            intent=intent,
            sentiment=sentiment,
            product_ids=tuple(dict.fromkeys((*(p.product_id for p in subject), *cited))),
            ai_generated=said.source == "llm",
        )


def unclear(_request: AnswerRequest) -> Label:
    """Fallback of the classifiers: the answer does without them."""
    return UNCLEAR


def is_settled(draft: Draft) -> bool:
    return draft.said is not None


def without_llm(draft: Draft) -> tuple[Step, ...]:
    """Fallback of the generation: the polite sentence, and the question is noted."""
    said = declined(draft)
    return (said.text, said)


def answer_graph(nodes: AnswerNodes) -> StreamGraph[AnswerRequest, Step, AnswerReply]:
    g = GraphBuilder("answer", AnswerRequest)
    scope = g.add(nodes.scope, g.request, timeout_s=2.0)
    welcome = g.add(nodes.welcome, g.request, timeout_s=2.0)
    intent = g.add(nodes.intent, g.request, timeout_s=1.0, fallback=unclear)
    sentiment = g.add(nodes.sentiment, g.request, timeout_s=1.0, fallback=unclear)
    subject = g.add(nodes.subject, g.request, scope, timeout_s=2.0)
    passages = g.add(nodes.passages, g.request, scope, subject, timeout_s=2.0)
    slot = g.apply(nodes.slot, g.request, scope, intent, subject)
    draft = g.apply(nodes.draft, welcome, scope, intent, subject, passages, slot)
    quoted = g.stream(quote, draft, reduce=whole, timeout_s=1.0)
    generated = g.stream(nodes.generate, draft, reduce=whole, timeout_s=10.0, first_item_timeout_s=6.0, fallback=without_llm)
    said = g.when(g.apply(is_settled, draft), then=quoted, otherwise=generated, name="said")
    return g.build_stream(g.apply(nodes.reply, intent, sentiment, subject, said), items=said)
