"""What goes wrong on the way to a replica, in the words of the error tree."""

import asyncio

from ray.exceptions import RayActorError, RayError, RayTaskError
from ray.serve.exceptions import BackPressureError, DeploymentUnavailableError, RayServeException, RequestCancelledError

from graphs.errors import (
    DeadlineExceeded,
    InvalidRequest,
    LivecartError,
    Overloaded,
    PayloadTooLarge,
    Unavailable,
    UnsupportedMedia,
)
from models.types import ModelInputError, ModelStoppedError

_BY_KIND = {"invalid": InvalidRequest, "too_large": PayloadTooLarge, "unsupported": UnsupportedMedia}


class CallerGone(LivecartError):  # noqa: N818  # the tree's names have no suffix
    """Serve has cancelled the call because the HTTP caller left. As a fault of the caller no fallback hides it, and the graph ends."""

    code, http_status = "cancelled", 499


def refused(error: ModelInputError) -> LivecartError:
    """The caller's fault, with the status that its kind asks for."""
    return _BY_KIND[error.kind](error.message)


def translated(error: BaseException, deployment: str) -> BaseException:
    """What a caller of `deployment` should see; cancellation and errors of the tree stay as they are."""
    cause = error.cause if isinstance(error, RayTaskError) else error
    match cause:
        case LivecartError() | asyncio.CancelledError():
            return cause
        case ModelInputError():
            return refused(cause)
        case ModelStoppedError():
            return Unavailable(f"`{deployment}` is not able to answer: {cause}")
        case TimeoutError():
            return DeadlineExceeded(f"`{deployment}` did not answer in time")
        case RequestCancelledError():
            return CallerGone("the caller has left")
        case BackPressureError():
            return Overloaded(f"the queue of `{deployment}` is full")
        case RayActorError() | DeploymentUnavailableError():
            return Unavailable(f"no replica of `{deployment}` answers now; it is being restarted")
        case RayServeException() | RayError():
            return Unavailable(f"`{deployment}` cannot be reached: {type(cause).__name__}")
    return cause
