"""One model of an external server, called by the stock client: pooled connections, binary tensors, the caller's deadline."""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any, TypeVar
from urllib.parse import urlsplit

import numpy as np
import orjson
from numpy.typing import NDArray
from tritonclient.http import InferInput, InferRequestedOutput
from tritonclient.http.aio import InferenceServerClient

from deployments.ports import External
from deployments.remote.calls import PING_S
from deployments.settings import TritonModelConfig
from deployments.triton.contracts import ModelContract, TensorContract, has_column
from deployments.triton.errors import Unfit, is_stale_connection, is_unknown_route, translated
from graphs.errors import DeadlineExceeded, Internal, LivecartError, Unavailable
from graphs.flow import remaining_s

KEY_VARIABLE = "LIVECART_TRITON_KEY"

_log = logging.getLogger("livecart.triton")

Values = NDArray[Any]
T = TypeVar("T")


class TritonModel:
    """Belongs to one event loop. Cancelling a call closes its connection, by which the server learns that nobody waits any more.

    `key`: sent as `Authorization: Bearer`.
    """

    def __init__(self, config: TritonModelConfig, contract: ModelContract, key: str | None = None) -> None:
        address = urlsplit(config.url)
        self._config = config
        self._contract = contract
        self._headers = {} if key is None else {"Authorization": f"Bearer {key}"}
        self._client = InferenceServerClient(
            address.netloc + address.path,
            conn_limit=config.max_connections,
            conn_timeout=config.timeout_s,
            ssl=address.scheme == "https",
        )
        self._metadata: Mapping[str, Any] | None = None  # once it was seen to fit
        self.where = f"model `{config.model}` of {address.netloc}"  # for messages: without what a URL may hold of secrets

    async def fit(self) -> None:
        """Compare the model with what is needed of it, once. Raises Unfit with all that does not fit, and Unavailable."""
        if self._metadata is None:
            metadata = await self._asked(self._client.get_model_metadata)
            if wrong := self._contract.misfits(metadata):
                raise Unfit(f"{self.where} does not fit: {'; '.join(wrong)}; docs/triton.md says what is needed")
            self._metadata = metadata

    async def ping(self) -> None:
        """Raises Unavailable when the model does not fit, or is not ready within two seconds."""
        try:
            async with asyncio.timeout(PING_S):
                await self.fit()
                is_ready = await self._asked(self._client.is_model_ready)
        except TimeoutError:
            raise Unavailable(f"{self.where} does not answer a ping within {PING_S:g} s") from None
        if not is_ready:
            raise Unavailable(f"{self.where} is not ready")

    async def listed_parameter(self, name: str) -> tuple[str, ...] | None:
        """A parameter of the model's configuration that is a list of texts in JSON; None where there is none. Raises Unavailable."""
        try:
            config = await self._asked(self._client.get_model_config)
        except LivecartError as error:
            if is_unknown_route(error):  # an extension of Triton's
                return None
            raise
        text = config.get("parameters", {}).get(name, {}).get("string_value")
        try:
            listed = orjson.loads(text) if isinstance(text, str) else None
        except orjson.JSONDecodeError:
            return None
        return tuple(listed) if isinstance(listed, list) and all(isinstance(each, str) for each in listed) else None

    async def __call__(self, rows: Values) -> dict[str, Values]:
        """The outputs of the contract for these rows, in as many calls as `max_rows` asks for, all at once.

        Raises LivecartError; DeadlineExceeded without a call when the running node has no time left.
        """
        await self.fit()
        size = self._config.max_rows
        parts = await _together([self._infer(rows[start : start + size]) for start in range(0, max(len(rows), 1), size)])
        return {tensor.name: np.concatenate([part[tensor.name] for part in parts]) for tensor in self._contract.outputs}

    async def aclose(self) -> None:
        await self._client.close()

    async def _infer(self, rows: Values) -> dict[str, Values]:
        left_s = min(remaining_s(), self._config.timeout_s)
        if left_s <= 0:
            raise DeadlineExceeded(f"no time was left to call {self.where}")
        outputs = [InferRequestedOutput(tensor.name, binary_data=True) for tensor in self._contract.outputs]
        timeout_us = max(1, int(left_s * 1e6))
        try:
            async with asyncio.timeout(left_s):
                result = await self._asked(self._client.infer, inputs=[self._given(rows)], outputs=outputs, timeout=timeout_us)
        except TimeoutError:
            raise DeadlineExceeded(f"{self.where} did not answer in time") from None
        try:
            return {tensor.name: self._found(tensor, result.as_numpy(tensor.name), len(rows)) for tensor in self._contract.outputs}
        except Exception as error:
            raise translated(error, self.where) from error

    def _given(self, rows: Values) -> InferInput:
        wanted = self._contract.input
        if self._metadata is not None and has_column(wanted, self._metadata["inputs"][0]["shape"]):
            rows = rows.reshape(-1, 1)
        given = InferInput(wanted.name, list(rows.shape), wanted.datatypes[0])
        return given.set_data_from_numpy(rows, binary_data=True)

    def _found(self, tensor: TensorContract, values: Values | None, count: int) -> Values:
        """Raises Internal when the server sent something else than its metadata says."""
        if values is None:
            raise Internal(f"{self.where} answered without `{tensor.name}`")
        if has_column(tensor, values.shape) and values.shape[1] == 1:
            values = values[:, 0]
        wanted = (count, *tensor.shape[1:])
        if len(values.shape) != len(wanted) or any(want not in (-1, size) for want, size in zip(wanted, values.shape, strict=True)):
            raise Internal(f"{self.where} answered {list(values.shape)} for `{tensor.name}`, which has to be {list(wanted)}")
        return values

    async def _asked(self, call: Callable[..., Coroutine[Any, Any, T]], **arguments: object) -> T:
        """A call of the client about this model; once more when it went out over a connection that the server had closed."""
        config = self._config

        async def ask() -> T:
            return await call(config.model, model_version=config.version, headers=dict(self._headers), **arguments)

        try:
            try:
                return await ask()
            except Exception as error:
                if not is_stale_connection(error):
                    raise
                return await ask()
        except Exception as error:
            raise translated(error, self.where) from error


async def begin(port: External) -> None:
    """Look at the models at a start: one that does not fit ends it (Unfit); one that is away is waited for by `/readyz`."""
    try:
        await port.fit()
    except Unfit:
        await port.aclose()
        raise
    except Unavailable as error:
        _log.info("not ready until it answers: %s", error)


async def _together(calls: Sequence[Coroutine[Any, Any, T]]) -> list[T]:
    """All results in order; the first failure cancels the other calls. No TaskGroup: see graphs/flow/tasks.py."""
    tasks = [asyncio.create_task(call) for call in calls]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
        for task in tasks:
            if task.done():
                task.result()
        return [task.result() for task in tasks]
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
