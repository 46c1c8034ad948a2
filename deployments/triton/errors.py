"""What goes wrong on the way to an external server, in the words of the error tree."""

import aiohttp
from tritonclient.utils import InferenceServerException

from graphs.errors import DeadlineExceeded, Internal, LivecartError, Overloaded, PayloadTooLarge, Unavailable, UnsupportedMedia

MAX_SAID = 300  # characters of the server's own words
_BY_STATUS: dict[str, type[LivecartError]] = {  # a model or key that is missing there is no fault of whoever asked here
    "401": Unavailable,
    "403": Unavailable,
    "404": Unavailable,
    "413": PayloadTooLarge,
    "415": UnsupportedMedia,
    "429": Overloaded,
    "502": Unavailable,
    "503": Unavailable,
    "504": DeadlineExceeded,
}


class Unfit(Unavailable):
    """The server answers, and what it serves is not what is asked for: a start is refused, a request that comes later fails."""


def translated(error: Exception, where: str) -> Exception:
    """What a caller should see of a call to `where`; what is not of the network or the server stays as it is."""
    match error:
        case InferenceServerException():
            kind = _BY_STATUS.get(str(error.status()), Internal)
            return kind(f"{where} answers {error.status()}: {str(error.message())[:MAX_SAID]}")
        case TimeoutError():
            return DeadlineExceeded(f"{where} did not answer in time")
        case aiohttp.ClientError() | OSError():
            return Unavailable(f"{where} cannot be reached: {type(error).__name__}")
        case LookupError() | ValueError() | TypeError() | AttributeError():  # what the client raises when it reads it
            return Internal(f"{where} gave an answer that is none of this protocol: {type(error).__name__}")
    return error


def is_stale_connection(error: Exception) -> bool:
    """Whether a connection that was made before had been closed by the server when it was used again."""
    broken = isinstance(error, aiohttp.ServerDisconnectedError | aiohttp.ClientOSError)
    return broken and not isinstance(error, aiohttp.ClientConnectorError)


def is_unknown_route(error: LivecartError) -> bool:
    """Whether the server has no such route or extension."""
    cause = error.__cause__
    return isinstance(cause, InferenceServerException) and str(cause.status()) in ("400", "404", "405", "501")
