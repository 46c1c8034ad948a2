"""The routes that the client calls, and which of them may be sent again when it is not known whether they were carried out."""

from dataclasses import dataclass
from urllib.parse import quote

from livecart_client.core import options
from livecart_client.core.options import CallOptions


@dataclass(frozen=True, slots=True)
class Route:
    method: str
    path: str  # as in the OpenAPI document
    may_repeat: bool  # twice is the same as once
    options: type = CallOptions  # a TypedDict: what may be said with it, by name

    def at(self, **ids: str) -> str:
        """The path with percent-encoded ids.

        >>> PRODUCT.at(product_id="保温杯")
        '/v1/products/%E4%BF%9D%E6%B8%A9%E6%9D%AF'
        """
        return self.path.format(**{name: quoted(value) for name, value in ids.items()})


def quoted(value: str) -> str:
    """An id as it stands in a path."""
    return quote(value, safe="")


RECOGNIZE = Route("POST", "/v1/recognize", may_repeat=True, options=options.RecognizeOptions)
MOMENT = Route("POST", "/v1/moment", may_repeat=False, options=options.MomentOptions)
ANSWER = Route("POST", "/v1/answer", may_repeat=False, options=options.AnswerOptions)
SCRIPT = Route("POST", "/v1/script", may_repeat=False, options=options.ScriptOptions)
COPY = Route("POST", "/v1/copy", may_repeat=False, options=options.LanguageOptions)
ANALYZE = Route("POST", "/v1/script/analyze", may_repeat=True, options=options.LanguageOptions)
RECOMMEND_PRODUCTS = Route("POST", "/v1/recommend/products", may_repeat=True, options=options.RecommendOptions)
RECOMMEND_ROOMS = Route("POST", "/v1/recommend/rooms", may_repeat=True, options=options.RoomsOptions)
GRAPHS = Route("GET", "/v1/graphs", may_repeat=True)
GRAPH = Route("GET", "/v1/graphs/{name}", may_repeat=True)

PUT_PRODUCT = Route("PUT", "/v1/products/{product_id}", may_repeat=True)
PRODUCT = Route("GET", "/v1/products/{product_id}", may_repeat=True)
DELETE_PRODUCT = Route("DELETE", "/v1/products/{product_id}", may_repeat=True)
PUT_PRODUCTS = Route("POST", "/v1/products", may_repeat=True)
PRODUCTS = Route("GET", "/v1/products", may_repeat=True, options=options.PageOptions)
ENROL = Route("POST", "/v1/products/{product_id}/images", may_repeat=False)

PUT_DOCUMENT = Route("PUT", "/v1/knowledge/{document_id}", may_repeat=True)
DOCUMENT = Route("GET", "/v1/knowledge/{document_id}", may_repeat=True)
DELETE_DOCUMENT = Route("DELETE", "/v1/knowledge/{document_id}", may_repeat=True)
PUT_DOCUMENTS = Route("POST", "/v1/knowledge", may_repeat=True)
DOCUMENTS = Route("GET", "/v1/knowledge", may_repeat=True, options=options.PageOptions)

PUT_ROOM = Route("PUT", "/v1/rooms/{room_id}", may_repeat=True)
ROOM = Route("GET", "/v1/rooms/{room_id}", may_repeat=True)
DELETE_ROOM = Route("DELETE", "/v1/rooms/{room_id}", may_repeat=True)
ROOMS = Route("GET", "/v1/rooms", may_repeat=True, options=options.RoomPageOptions)

EVENTS = Route("POST", "/v1/events", may_repeat=True)  # each counts once, by its event_id
VIEWER = Route("GET", "/v1/viewers/{viewer_id}", may_repeat=True)
ERASE_VIEWER = Route("DELETE", "/v1/viewers/{viewer_id}", may_repeat=True)

QUESTIONS = Route("GET", "/v1/questions", may_repeat=True, options=options.QuestionPageOptions)
QUESTION = Route("GET", "/v1/questions/{question_id}", may_repeat=True)
# the same answer again changes nothing
ANSWER_QUESTION = Route("POST", "/v1/questions/{question_id}/answer", may_repeat=True, options=options.QuestionAnswerOptions)
DISMISS_QUESTION = Route("POST", "/v1/questions/{question_id}/dismiss", may_repeat=True)

EXPERIMENTS = Route("GET", "/v1/experiments", may_repeat=True)
EXPERIMENT = Route("GET", "/v1/experiments/{name}", may_repeat=True)

HEALTHZ = Route("GET", "/healthz", may_repeat=False)  # what counts is how it is now
READYZ = Route("GET", "/readyz", may_repeat=False)
