"""What a node's exception means: for its span, for its fallback, and for the caller of the graph."""

import asyncio

from graphs.errors import DeadlineExceeded, LivecartError, NodeFailed, Unavailable
from graphs.flow.spans import Outcome


def may_fall_back(error: BaseException) -> bool:
    """A fallback covers what is nobody's fault or ours, never the caller's fault."""
    return not (isinstance(error, LivecartError) and error.is_callers_fault)


def described(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__


def outcome_of(error: BaseException) -> Outcome:
    is_timeout = isinstance(error, TimeoutError) or (isinstance(error, LivecartError) and error.http_status == 504)
    return Outcome.TIMEOUT if is_timeout else Outcome.ERROR


def failure_of(node: str, graph: str, error: Exception) -> LivecartError:
    """What a graph raises for a hard node: a LivecartError as it is, a timeout as DeadlineExceeded, anything else as NodeFailed."""
    if isinstance(error, LivecartError):
        return error
    failure: LivecartError
    if isinstance(error, TimeoutError):
        failure = DeadlineExceeded(f"node `{node}` of graph `{graph}` did not answer in time")
    else:
        failure = NodeFailed(node, graph)
    failure.__cause__ = error
    return failure


def cancelled_from_within(node: str, cancelled: asyncio.CancelledError) -> Unavailable:
    """Nobody cancelled the node: what it called gave up, as a remote call does whose server goes away."""
    error = Unavailable(f"node `{node}` was cancelled by what it called")
    error.__cause__ = cancelled
    return error
