"""The ingress's `user_config`: limits, graphs, experiments, answering. Applied to live replicas."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from deployments.settings.base import Frozen, Label, Rate, Seconds
from models.types import HISTORY_EVENTS


class Limits(Frozen):
    max_body_mib: Annotated[float, Field(gt=0, le=1_024)] = 32.0  # also after decompression
    body_s: Seconds = 30.0  # in which a body has to be there when the caller sends no X-Deadline-Ms
    max_rows: Annotated[int, Field(ge=1, le=100_000)] = 1_000
    max_ongoing: Annotated[int, Field(ge=1)] = 64  # graph requests being worked on, per ingress replica
    max_waiting: Annotated[int, Field(ge=0)] = 256  # admitted to wait for one of those places; beyond: 429
    default_deadline_s: Seconds = 15.0  # when the caller sends no X-Deadline-Ms
    max_deadline_s: Seconds = 120.0
    history_events: Annotated[int, Field(ge=1, le=1_000)] = HISTORY_EVENTS  # the ranker learnt from so many, as its manifest says
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
    bought_again_after_days: Annotated[float, Field(ge=0, le=36_500)] = 7.0  # of a purchase, until it is offered again; 0: at once
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
