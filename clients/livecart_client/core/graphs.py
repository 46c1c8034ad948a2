"""Calls of the inference graphs."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Literal

from livecart_client import wire
from livecart_client.core import routes
from livecart_client.core.calls import Call, Content, M, R, Status, as_json, as_text, call, fields_of, model_of, validated
from livecart_client.core.options import (
    AnswerOptions,
    CallOptions,
    GraphOptions,
    LanguageOptions,
    MomentOptions,
    RecognizeOptions,
    RecommendOptions,
    RoomsOptions,
    ScriptOptions,
)
from livecart_client.core.routes import Route

MERMAID = "text/vnd.mermaid"


def recognize(frame: bytes, options: RecognizeOptions) -> Call[wire.RecognizeReply]:
    checked = validated(wire.RecognizeOptions, fields_of(options))
    return _with_frame(routes.RECOGNIZE, wire.RecognizeReply, frame, checked, options)


def moment(frame: bytes, viewer_id: str, options: MomentOptions) -> Call[wire.MomentReply]:
    checked = validated(wire.MomentOptions, {"viewer_id": viewer_id, **fields_of(options)})
    return _with_frame(routes.MOMENT, wire.MomentReply, frame, checked, options)


def answer(question: str, options: AnswerOptions, *, stream: bool = False) -> Call[wire.AnswerReply]:
    body = validated(wire.AnswerRequest, {"question": question, **fields_of(options), **_streamed(stream=stream)})
    return _asked(routes.ANSWER, model_of(wire.AnswerReply), body, options)


def script(product_ids: Sequence[str], options: ScriptOptions, *, stream: bool = False) -> Call[wire.ScriptReply]:
    body = validated(wire.ScriptRequest, {"product_ids": tuple(product_ids), **fields_of(options), **_streamed(stream=stream)})
    return _asked(routes.SCRIPT, model_of(wire.ScriptReply), body, options)


def copy(product_id: str, channel: Literal["title", "description", "ad"], options: LanguageOptions) -> Call[wire.CopyReply]:
    body = validated(wire.CopyRequest, {"product_id": product_id, "channel": channel, **fields_of(options)})
    return _asked(routes.COPY, model_of(wire.CopyReply), body, options)


def analyze(text: str, options: LanguageOptions) -> Call[wire.AnalyzeReply]:
    body = validated(wire.AnalyzeRequest, {"text": text, **fields_of(options)})
    return _asked(routes.ANALYZE, model_of(wire.AnalyzeReply), body, options)


def recommend_products(viewer_id: str, options: RecommendOptions) -> Call[wire.RecommendReply]:
    fields = {"viewer_id": viewer_id, **fields_of(options)}
    if "context" in options:
        fields["context"] = {"product_ids": tuple(options["context"])}
    if "exclude" in options:
        fields["exclude"] = tuple(options["exclude"])
    return _asked(routes.RECOMMEND_PRODUCTS, model_of(wire.RecommendReply), validated(wire.RecommendRequest, fields), options)


def recommend_rooms(viewer_id: str, options: RoomsOptions) -> Call[wire.RoomsReply]:
    body = validated(wire.RoomsRequest, {"viewer_id": viewer_id, **fields_of(options)})
    return _asked(routes.RECOMMEND_ROOMS, model_of(wire.RoomsReply), body, options)


def served(options: CallOptions) -> Call[wire.Page[wire.ServedGraph]]:
    return call(routes.GRAPHS, model_of(wire.Page[wire.ServedGraph]), options, Content())


def served_one(name: str, options: CallOptions) -> Call[wire.ServedGraph]:
    return call(routes.GRAPH, model_of(wire.ServedGraph), options, Content(), {"name": name})


def drawn(name: str, options: CallOptions) -> Call[str]:
    return replace(call(routes.GRAPH, bytes.decode, options, Content(), {"name": name}), accept=MERMAID)


def healthz(options: CallOptions) -> Call[Status]:
    return call(routes.HEALTHZ, model_of(Status), options, Content())


def readyz(options: CallOptions) -> Call[Status]:
    return call(routes.READYZ, model_of(Status), options, Content())


def _with_frame(route: Route, reply: type[M], frame: bytes, checked: wire.Request, options: GraphOptions) -> Call[M]:
    form = as_text(checked.model_dump(exclude_unset=True))
    return call(route, model_of(reply), options, Content(_trace(options), files=(("frame", frame),), form=form))


def _asked(route: Route, parse: Callable[[bytes], R], body: wire.Request, options: GraphOptions) -> Call[R]:
    return call(route, parse, options, Content(_trace(options), as_json(body)))


def _trace(options: GraphOptions) -> dict[str, str]:
    return {"trace": "true"} if options.get("trace") else {}


def _streamed(*, stream: bool) -> dict[str, object]:
    return {"stream": True} if stream else {}
