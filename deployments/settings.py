"""The one settings model. `serve_config.yaml` fills it; secrets come only from the environment.

`Settings` is the argument of `deployments.app:build`. What restarts everything when edited (`args`) is kept small: home, store,
placement. What MLOps edits often is each deployment's `user_config`, one of the `*Config` models here, applied to live replicas.
"""

import os
from pathlib import Path
from typing import Annotated, Literal

from limits import parse as parse_rate
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

ZOO = Path(__file__).resolve().parent.parent / "models" / "zoo"
Placement = Literal["fused", "replica"]
PlacementOrTriton = Literal["fused", "replica", "triton"]
Seconds = Annotated[float, Field(gt=0, le=3_600)]


def _rate(text: str) -> str:
    parse_rate(text)  # raises ValueError that quotes it
    return text


Rate = Annotated[str, AfterValidator(_rate)]  # "40 per 2 seconds"


class Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class StoreSettings(Frozen):
    url: str | None = None  # None: SQLite at <home>/livecart.db; else any SQLAlchemy URL of PostgreSQL (LIVECART_STORE_URL overrides)
    follow_every_s: Seconds = 0.2  # how often a replica looks at the change log: bounds its staleness
    statement_timeout_s: Seconds = 5.0


class PlacementSettings(Frozen):
    """Where models run: inside the ingress process (a function call) or in replicas of their own (a hop of about 3 ms).

    The detector in replicas scales by itself, is exchanged live, and may die alone. Fused it answers a single caller sooner, at the
    price of a copy in every ingress replica, and of an ingress that dies with it.
    """

    detector: PlacementOrTriton = "replica"  # triton: on the server that `triton` names
    retriever: Placement = "fused"
    ranker: PlacementOrTriton = "fused"
    comprehension: Placement = "fused"


class CoalesceSettings(Frozen):
    """How calls to one deployment share a hop, and with it a batch; see deployments/remote/coalesce.py.

    The wait is bounded: a request leaves with the next call, which is when one of `max_in_flight` comes back, hence after the
    passes over at most `max_queued` requests before it; nobody waits for a batch to fill, and beyond `max_queued` the answer is 429.
    """

    max_items: Annotated[int, Field(ge=1, le=256)] = 16
    max_in_flight: Annotated[int, Field(ge=1, le=64)] = 2
    max_queued: Annotated[int, Field(ge=1, le=10_000)] = 256


class TritonModelConfig(Frozen):
    """A model of an external Triton server, or of any that speaks the Open Inference Protocol over HTTP; see docs/triton.md."""

    url: Annotated[str, Field(pattern=r"^https?://[^/\s]+(/[^\s]*)?$")]  # LIVECART_TRITON_KEY is sent as its bearer key
    model: Annotated[str, Field(min_length=1)]
    version: Annotated[str, Field(pattern=r"^[0-9]*$")] = ""  # empty: whichever the server has as its newest
    timeout_s: Seconds = 5.0  # of one call; the request's own deadline counts where it is sooner
    max_connections: Annotated[int, Field(ge=1, le=1_024)] = 32  # per ingress replica; further calls wait for one of them
    max_rows: Annotated[int, Field(ge=1, le=65_536)] = 32  # of one call: the server's max_batch_size


class TritonDetectorConfig(TritonModelConfig):
    model: Annotated[str, Field(min_length=1)] = "detector"
    categories: Annotated[tuple[str, ...], Field(min_length=1)] | None = None  # by number; None: as the model's configuration says


class TritonEmbedderConfig(TritonModelConfig):
    """It serves what `args.embedder` names, which says how wide its vectors are and what they are kept as."""

    model: Annotated[str, Field(min_length=1)] = "embedder"


class TritonRankerConfig(TritonModelConfig):
    """It scores the features that the recommender of `args.ranker` computes here."""

    model: Annotated[str, Field(min_length=1)] = "ranker"
    max_rows: Annotated[int, Field(ge=1, le=65_536)] = 4_096


class TritonSettings(Frozen):
    """What `placement` leaves to an external server."""

    detector: TritonDetectorConfig | None = None
    embedder: TritonEmbedderConfig | None = None  # goes with `detector`: a vector for each box
    ranker: TritonRankerConfig | None = None


class DetectorConfig(Frozen):
    detector: str = str(ZOO / "detector")  # local folder or hub id of any AutoModelForObjectDetection checkpoint
    device: str = "cpu"  # of torch: cpu, cuda, cuda:1
    precision: Literal["float32", "bfloat16"] = "float32"  # bfloat16: GPUs, and CPUs with AMX or AVX512-BF16
    runtime: Literal["auto", "openvino", "torch"] = "auto"  # auto: OpenVINO on a CPU, torch elsewhere and for what does not convert
    compile: bool = False  # torch only: compiled, with CUDA graphs on a GPU
    threads: Annotated[int, Field(ge=1, le=256)] | None = 1  # of a forward pass; None: one a core
    min_score: Annotated[float, Field(ge=0, le=1)] = 0.4
    max_megapixels: Annotated[float, Field(gt=0, le=1_000)] = 40.0
    max_detections: Annotated[int, Field(ge=1, le=300)] = 20


class WriterConfig(Frozen):
    model: str = str(ZOO / "writer")  # local folder or hub id of any causal LM that vLLM serves
    max_model_len: Annotated[int, Field(ge=128)] = 1024
    enforce_eager: bool = True
    kv_cache_gib: Annotated[float, Field(gt=0)] = 0.25  # CPU only
    gpu_memory_utilization: Annotated[float, Field(gt=0, le=1)] = 0.9  # GPU only
    tensor_parallel_size: Annotated[int, Field(ge=1)] = 1
    threads: Annotated[int, Field(ge=1)] | None = 1  # CPU only: of the engine process
    engine_args: dict[str, object] = {}  # anything else of vllm's AsyncEngineArgs
    name: str | None = None  # in /v1/models; None: the last part of a folder, or the hub id
    adapters: dict[str, str] = {}  # LoRA adapters by name, each a folder in PEFT's format; a call chooses one as its `model`
    tool_parser: str | None = None  # one of vLLM's tool parsers, for a checkpoint whose chat template knows tools


class RetrieverConfig(Frozen):
    text_embedder: str = str(ZOO / "text_embedder")
    recommender: str = str(ZOO / "recommender")
    reranker: str | None = str(ZOO / "reranker")  # or folder or hub id of a transformers cross-encoder; None: the fused order stands
    rerank_depth: Annotated[int, Field(ge=1, le=200)] = 20  # passages of a question that it looks at


class RankerConfig(Frozen):
    recommender: str = str(ZOO / "recommender")


class ComprehensionConfig(Frozen):
    intent: str = str(ZOO / "intent")
    sentiment: str = str(ZOO / "sentiment")


class Limits(Frozen):
    max_body_mib: Annotated[float, Field(gt=0, le=1_024)] = 32.0  # also after decompression
    body_s: Seconds = 30.0  # in which a body has to be there when the caller sends no X-Deadline-Ms
    max_rows: Annotated[int, Field(ge=1, le=100_000)] = 1_000
    max_ongoing: Annotated[int, Field(ge=1)] = 64  # graph requests being worked on, per ingress replica
    max_waiting: Annotated[int, Field(ge=0)] = 256  # admitted to wait for one of those places; beyond: 429
    default_deadline_s: Seconds = 15.0  # when the caller sends no X-Deadline-Ms
    max_deadline_s: Seconds = 120.0
    history_events: Annotated[int, Field(ge=1, le=1_000)] = 50
    max_sessions: Annotated[int, Field(ge=0, le=900)] = 200  # open room sessions per ingress replica; Serve counts each as a request
    max_message_mib: Annotated[float, Field(gt=0, le=16)] = 12.0  # of a room session; uvicorn takes 16
    max_comments: Annotated[int, Field(ge=1, le=10_000)] = 32  # of one session that have no answer yet
    max_frames: Annotated[int, Field(ge=1, le=1_024)] = 8  # of all sessions of an ingress replica that are looked at at once
    recommended_viewers: Annotated[int, Field(ge=0, le=100)] = 3  # of one session, the latest to comment, 0: none
    resume_s: Annotated[float, Field(ge=0, le=3_600)] = 60.0  # how long a room's replies and open comments outlive its session


class RoomLimits(Frozen):
    """What one room gets of an ingress replica, over all its sessions, in the words of the library `limits`; None: no limit."""

    comments: Rate | None = "40 per 2 seconds"  # 20 a second, in bursts of up to 40
    generations: Rate | None = "120 per minute"  # answers to comments that the writer writes


class TokenLimits(Frozen):
    """Tokens a minute in OpenAI's protocol, prompts and texts together, of one key at one ingress replica: 429 beyond.

    HAProxy deals requests out evenly, so a key gets up to this times the number of ingress replicas from the platform.
    """

    per_key: Annotated[int, Field(ge=1)] | None = None  # of keys that are not named; None: no limit
    by_key: dict[str, Annotated[int, Field(ge=1)]] = {}  # by the name of the key; without keys everybody is `anonymous`


class RequestRate(Frozen):
    per_second: Annotated[int, Field(ge=1, le=10_000)] | None = None  # None: no limit
    per_minute: Annotated[int, Field(ge=1, le=100_000)] | None = None


class RequestLimits(Frozen):
    """Requests of one key at one ingress replica, opened room sessions among them: 429 beyond. As TokenLimits, by replica."""

    per_key: RequestRate = RequestRate()  # of keys that are not named
    by_key: dict[str, RequestRate] = {}  # by the name of the key, instead of `per_key`; without keys everybody is `anonymous`


class GraphConfig(Frozen):
    """Overrides of one graph, checked against it at start: an unknown node name is an error."""

    timeouts_s: dict[str, Seconds] = {}
    fallbacks: dict[str, bool] = {}
    splits: dict[str, dict[str, Annotated[float, Field(ge=0)]]] = {}


Label = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]


class VariantConfig(Frozen):
    """How a variant differs from the graph as `graphs` has it; node names are checked at start."""

    weight: Annotated[float, Field(ge=0, le=1e6)] = 1.0
    use_fallback: tuple[str, ...] = ()  # nodes whose fallback answers in their place
    timeouts_s: dict[str, Seconds] = {}
    splits: dict[str, dict[str, Annotated[float, Field(ge=0)]]] = {}
    recommender: str | None = None  # graph `recommend`: the folder of another ranker, loaded into the ingress


class ExperimentConfig(Frozen):
    """One graph in several variants, the first of which is the control; see docs/experiments.md."""

    graph: str
    variants: Annotated[dict[Label, VariantConfig], Field(min_length=2, max_length=10)]
    enabled: bool = True  # False: everybody gets the graph as it is; what was found stays readable
    traffic: Annotated[float, Field(gt=0, le=1)] = 1.0  # share of the viewers who take part
    allocation: Literal["fixed", "thompson"] = "fixed"  # thompson: results move the weights
    metric: Literal["ctr", "cvr", "revenue_per_viewer"] = "ctr"  # what is decided by
    planned_viewers: Annotated[int, Field(ge=100)] = 10_000  # of two variants together, where the intervals are tightest; not to be changed
    reallocate_every_s: Annotated[float, Field(ge=10, le=86_400)] = 600.0  # thompson only

    @model_validator(mode="after")
    def _somebody_gets_something(self) -> "ExperimentConfig":
        if not any(variant.weight > 0 for variant in self.variants.values()):
            raise ValueError("one weight has to be above 0")
        return self


class QuestionSettings(Frozen):
    """What is kept of questions that were declined or answered by the LLM, for editors; see docs/knowledge.md."""

    max_open: Annotated[int, Field(ge=1, le=1_000_000)] = 10_000  # beyond: the least asked and longest not asked are dropped
    keep_days: Annotated[float, Field(gt=0, le=3_650)] = 180.0  # since a question was asked last, whatever became of it
    max_waiting: Annotated[int, Field(ge=1, le=100_000)] = 1_000  # for a store that is out of reach, per ingress replica


class AnswerSharing(Frozen):
    """Generated answers that several callers of one ingress replica share; see graphs/answering/sharing.py."""

    repeat_s: Annotated[float, Field(ge=0, le=600)] = 5.0  # how long a finished answer is given again to the same question; 0: never
    max_kept: Annotated[int, Field(ge=1, le=100_000)] = 512  # finished answers that are kept


class IngressConfig(Frozen):
    limits: Limits = Limits()
    rooms: RoomLimits = RoomLimits()
    requests: RequestLimits = RequestLimits()
    tokens: TokenLimits = TokenLimits()
    questions: QuestionSettings = QuestionSettings()
    graphs: dict[str, GraphConfig] = {}
    experiments: dict[Label, ExperimentConfig] = {}
    repetition: Annotated[float, Field(ge=0, le=1)] = 0.1  # of its score that each further product of a category in a list loses
    match_threshold: Annotated[float, Field(ge=-1, le=1)] | None = None  # None: the one calibrated with the embedder
    bank_threshold: Annotated[float, Field(ge=0, le=1)] = 0.7  # question similarity from which on a stored answer is given as it is
    bank_agreement: Annotated[float, Field(ge=0, le=1)] = 0.6  # how far a stored question has to ask the same before it is quoted
    evidence_threshold: Annotated[float, Field(ge=0, le=1)] = 0.3  # similarity from which on a passage may support a generated answer
    sharing: AnswerSharing = AnswerSharing()
    compliance_rules: Path | None = None  # a shop's own words and exceptions, YAML; read when applied; see docs/compliance.md

    @model_validator(mode="after")
    def _one_experiment_a_graph(self) -> "IngressConfig":
        by_graph: dict[str, str] = {}
        for name, experiment in self.experiments.items():
            if experiment.enabled and by_graph.setdefault(experiment.graph, name) != name:
                both = f"`{by_graph[experiment.graph]}` and `{name}`"
                raise ValueError(f"experiments {both} are both on graph `{experiment.graph}`; set `enabled: false` in one of them")
        return self


class FrontSettings(Frozen):
    """What HAProxy grants a connection, so that callers who are slow, silent or many do not reach the ingress. Read by `livecart up`."""

    headers_s: Seconds = 10.0  # from the beginning of a connection or request to the end of its headers
    idle_s: Seconds = 60.0  # between two requests of a connection
    stalled_s: Seconds = 30.0  # a caller who neither sends of a body nor reads of an answer for so long is gone
    silent_s: Annotated[float, Field(gt=0, le=86_400)] = 3_600.0  # of a room session on which nothing is sent either way, pings included
    max_connections: Annotated[int, Field(ge=10, le=100_000)] = 4_096  # of all callers; beyond, connections wait to be accepted
    max_connections_per_address: Annotated[int, Field(ge=1, le=100_000)] | None = 1_024  # beyond: closed at once; None behind a balancer


class Settings(Frozen):
    home: Path = Field(default_factory=lambda: Path(os.environ.get("LIVECART_HOME", ".livecart")).absolute())  # data of this installation
    audit_keep_days: Annotated[int, Field(ge=1, le=36_500)] = 400  # of the files under <home>/audit; see docs/operations.md
    demo: bool = True  # `livecart up` loads the demo world into an empty store
    embedder: str = str(ZOO / "embedder")  # folder or hub id; with another one all enrolled pictures are embedded again
    store: StoreSettings = StoreSettings()
    placement: PlacementSettings = PlacementSettings()
    triton: TritonSettings = TritonSettings()
    coalesce: CoalesceSettings = CoalesceSettings()
    front: FrontSettings = FrontSettings()
    ingress: IngressConfig = IngressConfig()
    detector: DetectorConfig = DetectorConfig()
    writer: WriterConfig = WriterConfig()
    retriever: RetrieverConfig = RetrieverConfig()
    ranker: RankerConfig = RankerConfig()
    comprehension: ComprehensionConfig = ComprehensionConfig()

    @model_validator(mode="after")
    def _triton_is_told_where(self) -> "Settings":
        needed = {"detector": ("detector", "embedder"), "ranker": ("ranker",)}
        for port, models in needed.items():
            missing = [model for model in models if getattr(self.triton, model) is None]
            if getattr(self.placement, port) == "triton" and missing:
                raise ValueError(f"placement.{port} is triton, so triton.{missing[0]} is needed: {{url: http://HOST:8000}}")
        return self

    @property
    def store_url(self) -> str:
        """Where the store is: the environment's, since it may hold a password, then the file's, then SQLite under `home`."""
        return os.environ.get("LIVECART_STORE_URL") or self.store.url or f"sqlite:///{self.home / 'livecart.db'}"
