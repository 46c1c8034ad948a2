"""What the platform of the moment says about the models: their shapes, and the deployments that do not answer."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping

from deployments.ingress.oip.table import ModelSpec, model_specs
from deployments.ingress.ports import Gateway
from graphs.errors import LivecartError


def specs_of(gateway: Gateway) -> Mapping[str, ModelSpec]:
    return model_specs(gateway.ports.tensors.embedding_dim)


async def away(gateway: Gateway, needs: Collection[str] | None = None) -> list[str]:
    """Names of deployments, of `needs` or of all, that do not answer. What has no ping lives in this process, and answers as it does."""
    pings = {name: ping for name, ping in gateway.ports.pings.items() if needs is None or name in needs}
    answers = await asyncio.gather(*(_answers(ping) for ping in pings.values()))
    return [name for name, answer in zip(pings, answers, strict=True) if not answer]


async def _answers(ping: Callable[[], Awaitable[object]]) -> bool:
    try:
        await ping()
    except LivecartError:
        return False
    return True
