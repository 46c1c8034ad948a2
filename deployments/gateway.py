"""The object behind every route: built graphs, store, admission, deadline."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from deployments.experiments.arms import Arms, ByRanker
from deployments.experiments.service import Experiments
from deployments.ingress.admission import Admission
from deployments.ingress.disconnect import within
from deployments.ports import Ports
from deployments.questions import QuestionLog, asking_of
from deployments.rates import RequestRates
from deployments.room_rates import RoomRates
from deployments.settings import GraphConfig, IngressConfig, Limits, QuestionSettings, RequestLimits, RoomLimits, TokenLimits
from deployments.shop_rules import rulebook
from deployments.store import Store
from deployments.store.values import View
from deployments.telemetry import Telemetry
from deployments.tokens import TokenBudgets
from graphs.analyze import AnalyzeNodes, analyze_graph
from graphs.answer import AnswerNodes, answer_graph
from graphs.answering.known import Nearness
from graphs.answering.sharing import SharedSpeaker, Sharing
from graphs.answering.speaking import Speaker
from graphs.checking.verdicts import WriterEvent
from graphs.compliance import enforce
from graphs.errors import GraphError, LivecartError, NotFound
from graphs.flow import Graph, Overrides, Run, StreamGraph
from graphs.guarding import GuardedCatalog, GuardedKnowledge
from graphs.hosting.segments import Segment
from graphs.moment import moment_graph
from graphs.product_copy import CopyNodes, copy_graph
from graphs.recognize import RecognizeNodes, recognize_graph
from graphs.recommend import RecommendNodes, recommend_graph
from graphs.rooms import RoomsNodes, rooms_graph
from graphs.script import ScriptNodes, script_graph
from models.language.openai_types import Kind, ModelCard, Usage
from models.types import ProductId, RoomId, Vectors

AnyGraph = Graph[Any, Any]

BYTES_A_TOKEN = 4  # of a request that was not counted, because its caller left
METRICS_S = 2.0  # a scrape does not wait for a writer that restarts


@dataclass(frozen=True, slots=True)
class Token:
    text: str


@dataclass(frozen=True, slots=True)
class Hooks:
    """Who hears what the graphs tell while they run."""

    on_share: Callable[[Sharing], None] = lambda _: None  # how each answer of the writer came about
    on_writer: Callable[[str, WriterEvent], None] = lambda _graph, _event: None  # what became of what a graph asked the writer for
    on_charge: Callable[[RoomId], None] = lambda _: None  # an answer is about to be generated for a room; may raise QuotaSpent


NOBODY = Hooks()


class Gateway:
    def __init__(self, store: Store, ports: Ports, telemetry: Telemetry) -> None:
        self.store = store
        self.ports = ports
        self.telemetry = telemetry
        self.questions = QuestionLog(store, QuestionSettings())
        self.experiments = Experiments(store)
        self._rates = RequestRates(RequestLimits())
        self._tokens = TokenBudgets(TokenLimits())
        self.room_rates = RoomRates(RoomLimits())
        self.apply(IngressConfig())

    async def configure(self, config: IngressConfig) -> None:
        """As `apply`, after loading what the experiments' variants name; GraphError also says what cannot be loaded."""
        self.apply(config, await Arms.load(config.experiments, self.experiments.chooser))

    def apply(self, config: IngressConfig, arms: Arms | None = None) -> None:
        """Build the graphs and limits anew; requests under way end on the old ones.

        Raises GraphError for a graph or node that does not exist and for compliance rules that are none; nothing has changed then.
        """
        rules = rulebook(config.compliance_rules)
        arms = arms or Arms(config.experiments, chooser=self.experiments.chooser)
        hooks = Hooks(self.telemetry.shared, self.telemetry.wrote, self.room_rates.generation)
        graphs = build_graphs(self.ports, config, hooks, arms=arms)
        unknown = sorted(set(config.graphs) - set(graphs))
        if unknown:
            raise GraphError(f"settings name the graphs {', '.join(unknown)}; there are {', '.join(sorted(graphs))}")
        self.graphs: Mapping[str, AnyGraph] = {name: graph.observed_by(self.telemetry.spans) for name, graph in graphs.items()}
        self.rules = rules
        self.limits: Limits = config.limits
        self._rates.limits = config.requests
        self._tokens.limits = config.tokens
        self.room_rates.limits = config.rooms
        self.questions.limits = config.questions
        self.experiments.apply(config.experiments)
        self._admission = Admission(max_ongoing=self.limits.max_ongoing, max_waiting=self.limits.max_waiting)

    @property
    def ongoing(self) -> int:
        """Graph requests that hold a place now."""
        return self._admission.ongoing

    @property
    def waiting(self) -> int:
        """Graph requests that wait for a place."""
        return self._admission.waiting

    def count_request(self, key: str) -> None:
        """Raises Overloaded when the key has made as many requests as it may."""
        self._rates.take(key)

    async def run(self, graph: str, request: object, *, budget_s: float) -> Run[Any]:
        """Admit and run a graph. Raises LivecartError."""
        enforce(self.rules)
        async with self._admission.place(budget_s) as waited_s:
            self.telemetry.admitted(waited_s)
            run = await self.graphs[graph].run(request, budget_s=budget_s - waited_s)
        self._note(request, run.output)
        return run

    async def stream(self, graph: str, request: object, *, budget_s: float) -> AsyncGenerator[Token | Run[Any], None]:
        """As `run`: tokens (of a script: segments) as they come and, last, the finished run. Closing the generator cancels the graph."""
        enforce(self.rules)
        streaming = self.graphs[graph]
        if not isinstance(streaming, StreamGraph):
            yield await self.run(graph, request, budget_s=budget_s)
            return
        async with self._admission.place(budget_s) as waited_s:
            self.telemetry.admitted(waited_s)
            async with aclosing(streaming.stream(request, budget_s=budget_s - waited_s)) as items:
                async for item in items:
                    if isinstance(item, str):
                        yield Token(item)
                    elif isinstance(item, Segment):
                        yield Token(item.text)
                    elif isinstance(item, Run):
                        self._note(request, item.output)
                        yield item

    async def generate(self, kind: Kind, body: bytes, *, stream: bool, budget_s: float, key: str) -> AsyncGenerator[bytes | Usage, None]:
        """Admit and run a call in OpenAI's protocol; see `deployments.ports.OpenAI`. Closing the generator aborts it.

        What it took counts against the tokens of `key`: exactly when it comes to its end, else by what was sent.
        """
        self._tokens.check(key)
        taken, sent = 0, 0
        try:
            async with self._admission.place(budget_s) as waited_s:
                self.telemetry.admitted(waited_s)
                taken = len(body) // BYTES_A_TOKEN  # until it is known better
                async with aclosing(self.ports.openai.generate(kind, body, stream=stream, timeout_s=budget_s - waited_s)) as pieces:
                    async for piece in pieces:
                        if isinstance(piece, Usage):
                            taken, sent = piece.total_tokens, 0
                        else:
                            sent += 1
                        yield piece
        except LivecartError:
            taken = taken if sent else 0
            raise
        finally:
            self._tokens.charge(key, taken + sent)

    async def embed_texts(self, texts: Sequence[str], *, budget_s: float, key: str, tokens: int) -> Vectors:
        """Admit and embed; float32 (len(texts), dim). Raises LivecartError."""
        self._tokens.check(key)
        async with self._admission.place(budget_s) as waited_s:
            self.telemetry.admitted(waited_s)
            vectors = await within(budget_s - waited_s, self.ports.texts.embed(texts))
        self._tokens.charge(key, tokens)
        return vectors

    @asynccontextmanager
    async def place(self, budget_s: float) -> AsyncIterator[float]:
        """Admit a call of a single model: hold a place while it runs; yields the seconds left. Raises Overloaded or DeadlineExceeded."""
        async with self._admission.place(budget_s) as waited_s:
            self.telemetry.admitted(waited_s)
            yield budget_s - waited_s

    async def model_cards(self, *, budget_s: float) -> list[ModelCard]:
        """The writer, its adapters and the text embedder. Raises LivecartError."""
        return [*await within(budget_s, self.ports.openai.cards()), self.ports.texts.card]

    async def enrol(self, product_id: ProductId, pictures: Sequence[bytes], *, actor: str, request_id: str) -> int:
        """Learn what a product looks like; returns how many views it has then. Raises LivecartError."""
        if await self.store.product(product_id) is None:
            raise NotFound(f"no product `{product_id}`; PUT /v1/products/{product_id} makes it", param="product_id")
        embedded = await self.ports.embedder.embed(pictures)
        views = [View(picture, e.vectors, e.model) for picture, e in zip(pictures, embedded, strict=True)]
        return await self.store.add_views(product_id, views, actor=actor, request_id=request_id)

    async def not_ready(self) -> list[str]:
        """Names of deployments that cannot answer."""
        pings = {"Store": self.store.ping, **self.ports.pings}
        answers = await asyncio.gather(*map(_answers, pings.values()))
        return [name for name, answer in zip(pings, answers, strict=True) if not answer]

    async def metrics_text(self) -> str:
        """Prometheus text of the model replicas."""
        try:
            async with asyncio.timeout(METRICS_S):
                return await self.ports.metrics_text()
        except (LivecartError, TimeoutError) as error:
            return f"# the writer does not answer: {type(error).__name__}\n"

    def _note(self, request: object, output: object) -> None:
        """Leave for the editors what they should hear of; it is written beside the answer."""
        asking = asking_of(request, output)
        if asking is not None:
            self.questions.note(asking)


def build_graphs(ports: Ports, config: IngressConfig, hooks: Hooks = NOBODY, *, arms: Arms | None = None) -> dict[str, AnyGraph]:
    """All graphs over these ports. Each nested graph is the one that is also served alone, its overrides and variants included.

    Raises GraphError for settings that do not fit the graphs.
    """
    experiments = arms or Arms()

    def tuned(graph: AnyGraph, by_ranker: ByRanker | None = None) -> Any:  # noqa: ANN401  # the same class as came in
        changes = _overrides(config.graphs.get(graph.name, GraphConfig()))
        remade: ByRanker | None = None if by_ranker is None else lambda ranker: by_ranker(ranker).with_overrides(changes)
        return experiments.of(graph.with_overrides(changes), remade)

    history_events = config.limits.history_events
    catalog = GuardedCatalog(ports.catalog)  # where a model reads, or a text is made of what it finds
    knowledge = GuardedKnowledge(ports.knowledge, ports.catalog)
    answer_nodes = AnswerNodes(
        catalog,
        knowledge,
        ports.comprehension,
        ports.viewers,
        _speaker(ports, config, hooks),
        nearness=Nearness(config.bank_threshold, config.bank_agreement, config.evidence_threshold),
    )
    recognize = tuned(recognize_graph(RecognizeNodes(ports.detector, ports.pictures, ports.catalog, config.match_threshold)))
    answer = tuned(answer_graph(answer_nodes))
    recommend_nodes = RecommendNodes(
        ports.catalog,
        ports.viewers,
        ports.candidates,
        ports.ranker,
        history_events,
        repetition=config.repetition,
        bought_again_after_days=config.bought_again_after_days,
    )
    recommend = tuned(recommend_graph(recommend_nodes), lambda ranker: recommend_graph(replace(recommend_nodes, ranker=ranker)))
    graphs = (
        recognize,
        answer,
        recommend,
        tuned(script_graph(ScriptNodes(catalog, knowledge, ports.writer, partial(hooks.on_writer, "script")))),
        tuned(copy_graph(CopyNodes(catalog, ports.writer, partial(hooks.on_writer, "copy")))),
        tuned(analyze_graph(AnalyzeNodes(catalog, knowledge, ports.segmenter))),
        tuned(rooms_graph(RoomsNodes(ports.catalog, ports.viewers, ports.rooms, history_events))),
        tuned(moment_graph(recognize, answer, recommend)),
    )
    by_name = {graph.name: graph for graph in graphs}
    experiments.require_graphs(by_name)
    return by_name


def _speaker(ports: Ports, config: IngressConfig, hooks: Hooks) -> SharedSpeaker:
    speaker = Speaker(ports.writer, partial(hooks.on_writer, "answer"), hooks.on_charge)
    return SharedSpeaker(speaker, repeat_s=config.sharing.repeat_s, max_kept=config.sharing.max_kept, on_share=hooks.on_share)


def _overrides(config: GraphConfig) -> Overrides:
    return Overrides(timeouts_s=config.timeouts_s, fallbacks=config.fallbacks, splits=config.splits)


async def _answers(ping: Callable[[], Awaitable[object]]) -> bool:
    try:
        await ping()
    except LivecartError:
        return False
    return True
