"""Sending calls, again where that is safe, and reading streams."""

import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import Generic, TypeVar

import httpx

from livecart_client.core.attempts import Attempts
from livecart_client.core.calls import Call
from livecart_client.core.replies import error_of
from livecart_client.core.settings import Settings
from livecart_client.core.streams import StreamReader
from livecart_client.errors import LivecartError

R = TypeVar("R")


class Tokens(Generic[R]):
    """The pieces of a streamed text, once; `reply()` reads what is left of them and tells the whole."""

    def __init__(self, response: httpx.Response, attempts: Attempts[R]) -> None:
        self._response = response
        self._attempts = attempts
        self._reader = StreamReader(attempts.call.parse, attempts.request_id)
        self._pieces = self._read()

    def __iter__(self) -> Iterator[str]:
        return self._pieces

    def reply(self) -> R:
        for _ in self._pieces:
            pass
        return self._reader.finish()

    def close(self) -> None:
        self._pieces.close()
        self._response.close()

    def _read(self) -> Generator[str, None, None]:
        try:
            for piece in self._response.iter_bytes():
                yield from self._reader.feed(piece)
        except httpx.RequestError as error:
            raise self._attempts.failed(error) from error
        self._reader.finish()


class Sender:
    """Sends calls, again where that is safe."""

    def __init__(self, http: httpx.Client, settings: Settings) -> None:
        self._http = http
        self._settings = settings

    def send(self, call: Call[R]) -> R:
        """Raises LivecartError."""
        attempts = Attempts(self._settings.with_deadline(call), self._settings.policy)
        while True:
            try:
                response = self._http.send(attempts.request(self._http, self._settings.timeout_s))
            except httpx.RequestError as error:
                time.sleep(attempts.wait_after_failure(error))
                continue
            reply = attempts.reply(response)
            waiting_s = attempts.wait_after(reply)
            if waiting_s is None:
                return attempts.result(reply)
            time.sleep(waiting_s)

    @contextmanager
    def stream(self, call: Call[R]) -> Iterator[Tokens[R]]:
        """Raises LivecartError, on entering and while tokens are read. Leaving early stops the generation."""
        attempts = Attempts(self._settings.with_deadline(call), self._settings.policy)
        response = self._open(attempts)
        tokens = Tokens(response, attempts)
        try:
            if response.status_code != 200:
                raise _refusal(response, attempts)
            yield tokens
        finally:
            tokens.close()

    def _open(self, attempts: Attempts[R]) -> httpx.Response:
        while True:
            try:
                return self._http.send(attempts.request(self._http, self._settings.timeout_s), stream=True)
            except httpx.RequestError as error:
                time.sleep(attempts.wait_after_failure(error))


def _refusal(response: httpx.Response, attempts: Attempts[R]) -> LivecartError:
    try:
        response.read()
    except httpx.RequestError as error:
        return attempts.failed(error)
    return error_of(attempts.reply(response))
