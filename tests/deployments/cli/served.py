"""The real HTTP front over a real store and fake models, on a port of its own, for commands that call a server."""

import asyncio
import contextlib
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import uvicorn

from deployments.ingress.api import create_app
from deployments.ingress.auth import Auth
from deployments.ingress.fakes import fake_gateway, fake_models
from deployments.store import Store

PATIENCE_S = 60.0


@contextmanager
def served(folder: Path, auth: Auth | None = None) -> Iterator[str]:
    """The server's URL; it answers when the block begins and has ended when it is left. Its models know nothing: it declines."""
    with socket.socket(proto=socket.IPPROTO_TCP) as listener:  # asyncio turns Nagle's delay off only where it reads TCP here
        listener.bind(("127.0.0.1", 0))
        listener.listen()  # who comes before the server is up waits for it
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        stop = threading.Event()
        thread = threading.Thread(target=lambda: asyncio.run(_serve(folder, listener, stop, auth)))
        thread.start()
        try:
            yield url
        finally:
            stop.set()
            thread.join(PATIENCE_S)


async def _serve(folder: Path, listener: socket.socket, stop: threading.Event, auth: Auth | None) -> None:
    models = fake_models()
    models.retriever.known = ()
    async with await Store.open(f"sqlite:///{folder / 'livecart.db'}") as store:
        gateway = fake_gateway(store, models)
        server = uvicorn.Server(uvicorn.Config(create_app(gateway, auth=auth), log_config=None, lifespan="off"))
        async with asyncio.TaskGroup() as tasks:
            noting = tasks.create_task(gateway.questions.run())
            serving = tasks.create_task(server.serve(sockets=[listener]))
            await asyncio.to_thread(stop.wait)
            server.should_exit = True
            await serving
            noting.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await noting
