"""The shop-the-moment graph: frame -> products on screen -> an answer about them, beside recommendations in their context."""

from dataclasses import dataclass

from graphs.answer import AnswerReply, AnswerRequest
from graphs.flow import Graph, GraphBuilder
from graphs.recognize import FrameSize, RecognizeReply, RecognizeRequest, SeenProduct
from graphs.recommend import RecommendedProduct, RecommendReply, RecommendRequest
from models.types import Box, ProductId, RoomId, ViewerId


@dataclass(frozen=True, slots=True)
class MomentRequest:
    frame: bytes  # encoded picture
    viewer_id: ViewerId
    room_id: RoomId | None = None
    comment: str | None = None
    k: int = 5


@dataclass(frozen=True, slots=True)
class MomentReply:
    products: tuple[SeenProduct, ...]
    answer: AnswerReply | None
    recommendations: tuple[RecommendedProduct, ...]


def as_frame(request: MomentRequest) -> RecognizeRequest:
    return RecognizeRequest(request.frame, request.room_id)


def on_screen(seen: RecognizeReply) -> tuple[ProductId, ...]:
    """The best match of every object that is known, the largest first: what the host holds up is near the camera."""
    known = sorted((product for product in seen.products if product.matches), key=lambda product: -_area(product.box))
    return tuple(dict.fromkeys(product.matches[0].product_id for product in known))


def _area(box: Box) -> float:
    return (box[2] - box[0]) * (box[3] - box[1])


def has_comment(request: MomentRequest) -> bool:
    return bool(request.comment)


def as_question(request: MomentRequest, seen: RecognizeReply) -> AnswerRequest:
    return AnswerRequest(request.comment or "", request.room_id, viewer_id=request.viewer_id, on_screen=on_screen(seen))


def as_shopper(request: MomentRequest, seen: RecognizeReply) -> RecommendRequest:
    return RecommendRequest(request.viewer_id, request.room_id, request.k, context=on_screen(seen))


def no_answer(_request: MomentRequest) -> AnswerReply | None:
    return None


def together(
    seen: RecognizeReply,
    answer: AnswerReply | None,
    recommended: RecommendReply,
) -> MomentReply:
    return MomentReply(seen.products, answer, recommended.items)


def nothing_seen(_request: RecognizeRequest) -> RecognizeReply:
    """Fallback of the eye: the answer and the recommendations go on without it."""
    return RecognizeReply(FrameSize(0, 0), ())


def nothing_recommended(_request: RecommendRequest) -> RecommendReply:
    return RecommendReply(())


def unanswered(_request: AnswerRequest) -> AnswerReply | None:
    return None


def moment_graph(
    recognize: Graph[RecognizeRequest, RecognizeReply],
    answer: Graph[AnswerRequest, AnswerReply | None],
    recommend: Graph[RecommendRequest, RecommendReply],
) -> Graph[MomentRequest, MomentReply]:
    g = GraphBuilder("moment", MomentRequest)
    seen = g.include(recognize, g.apply(as_frame, g.request), timeout_s=5.0, fallback=nothing_seen)
    asked = g.include(answer, g.apply(as_question, g.request, seen), timeout_s=10.0, fallback=unanswered)
    answered = g.when(g.apply(has_comment, g.request), then=asked, otherwise=g.apply(no_answer, g.request), name="answered")
    shopper = g.apply(as_shopper, g.request, seen)
    recommended = g.include(recommend, shopper, timeout_s=5.0, fallback=nothing_recommended)
    return g.build(g.apply(together, seen, answered, recommended))
