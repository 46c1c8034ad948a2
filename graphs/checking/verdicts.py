"""What becomes of what the writer is asked for: told, as it happens, to whoever built the graph."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Literal

from graphs.errors import DeadlineExceeded, LivecartError
from graphs.flow import remaining_s

# Why a text of the writer is put aside.
Fault = Literal[
    "grounding",  # a figure that nothing known holds; a price where none belongs, or told as another one
    "contradiction",  # what is known, turned round: a negation lost or added, a value under another label
    "support",  # words or names that nothing known holds
    "claims",  # a property, effect, offer, comparison or absence that nothing known states
    "compliance",  # a wording that the law forbids
    "guarding",  # gives away what the writer was told, or smuggles in contacts and links
    "broken",  # cut, garbled, or the same again and again
    "idle",  # says nothing of the product, asks for nothing and leads to nothing
]
WriterEvent = (
    Fault
    | Literal[
        "asked",  # a prompt was sent
        "kept",  # an answer, or a sentence of a script or of copy, in the writer's words
        "unused",  # passed the checks, but was not needed: told already, or there was no time for it
        "declined",  # the writer said that the facts do not tell
        "unfinished",  # nothing whole came
        "deadline",  # the node's time was spent
        "failed",  # the writer was out of reach
        "cancelled",  # the caller left, or the first words took too long
    ]
)
OnWriter = Callable[[WriterEvent], None]


def unheard(_event: WriterEvent) -> None:
    """For graphs that nobody listens to."""


@contextmanager
def asking(tell: OnWriter) -> Iterator[None]:
    """One request to the writer: tells that it is asked, and how it ends when it ends with an error, which is raised on."""
    tell("asked")
    try:
        yield
    except (DeadlineExceeded, TimeoutError):
        tell("deadline")
        raise
    except LivecartError:
        tell("failed")
        raise
    except (asyncio.CancelledError, GeneratorExit):
        tell("cancelled" if remaining_s() else "deadline")
        raise
