"""The ingress as a Ray deployment: opens the store, fills the ports, serves the ASGI app."""

import asyncio
import os
from collections.abc import Coroutine
from contextlib import AsyncExitStack, suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from ray.serve.handle import DeploymentHandle

from deployments.audit import AuditFiles, AuditLine
from deployments.gateway import Gateway
from deployments.ingress.api import create_app
from deployments.ingress.key_watch import KeyWatch, auth_from_environment
from deployments.ingress.oip.served import ServedModels, UnloadedFolder
from deployments.ingress.session.registry import Sessions
from deployments.settings import IngressConfig, Settings
from deployments.shop import open_store
from deployments.telemetry import Telemetry, configure_logging
from deployments.variables import STOPPING_VARIABLE
from deployments.wiring import Wiring, cancelled
from graphs.errors import LivecartError


class IngressReplica:
    async def __init__(self, settings: Settings, **handles: DeploymentHandle) -> None:  # type: ignore[misc]  # Serve awaits it
        self._closing = AsyncExitStack()  # what has started so far: a start that fails ends it too
        configure_logging("ingress")
        self._auth = auth_from_environment(os.environ)  # first: what is wrong with keys ends the start
        self._trail = AuditFiles(settings.home / "audit", keep_days=settings.audit_keep_days)
        self._closing.callback(self._trail.close)
        self._store = await open_store(settings)
        self._closing.push_async_callback(self._store.close)
        self._unloaded = settings.home / "unloaded"
        self._wiring = await Wiring.start(settings, self._store, handles)
        self._closing.push_async_callback(self._wiring.stop)
        self._telemetry = Telemetry()
        self._gateway = Gateway(self._store, self._wiring.ports, self._telemetry)
        self._telemetry.gauge("livecart_requests_ongoing", "Graph requests that hold a place", lambda: self._gateway.ongoing)
        self._telemetry.gauge("livecart_requests_waiting", "Graph requests that wait for a place", lambda: self._gateway.waiting)
        self._telemetry.gauge("livecart_questions_waiting", "Questions not yet in the store", lambda: self._gateway.questions.waiting)
        self._telemetry.gauge("livecart_questions_lost", "Questions that were never written", lambda: self._gateway.questions.lost)
        experiments = self._gateway.experiments
        self._telemetry.gauge("livecart_exposures_waiting", "Exposures not yet in the store", lambda: experiments.exposures.waiting)
        self._telemetry.gauge("livecart_exposures_lost", "Exposures that were not noted", lambda: experiments.exposures.lost)
        versions = self._wiring.versions
        self._telemetry.models(lambda: {part: version.served for part, version in versions.items()})
        self._closing.push_async_callback(self._written_down)
        self._run(experiments.run(), "run experiments")
        self._run(self._gateway.questions.run(), "note questions")
        self._sessions = Sessions()
        self._telemetry.gauge("livecart_sessions_open", "Open room sessions", lambda: len(self._sessions))
        self._telemetry.gauge("livecart_audit_lost", "Lines of the audit trail that could not be written", lambda: self._trail.lost)
        keys = KeyWatch(self._auth, os.environ, on_change=partial(_keys_changed, self._trail))
        self._telemetry.gauge("livecart_keys", "Keys that let somebody in", lambda: self._auth.good_keys)
        self._telemetry.gauge("livecart_keys_file_refused", "1 while the keys file is not what is served", lambda: keys.is_refused)
        self._run(keys.run(), "follow keys")
        if marker := os.environ.get(STOPPING_VARIABLE):
            self._run(self._sessions.close_when_made(Path(marker)), "end sessions")
        self._closing.callback(self._sessions.close_all)

    async def reconfigure(self, config: dict[str, Any]) -> None:
        await self._gateway.configure(IngressConfig.model_validate(config))

    def __serve_build_asgi_app__(self) -> FastAPI:
        placements = self._wiring.placements
        app = create_app(self._gateway, auth=self._auth, telemetry=self._telemetry, placements=placements, sessions=self._sessions)
        app.state.trail = self._trail
        app.state.models = ServedModels(UnloadedFolder(self._unloaded))
        return app

    async def __del__(self) -> None:
        await self._closing.aclose()

    def _run(self, work: Coroutine[Any, Any, None], name: str) -> None:
        """Beside the requests, until the replica ends."""
        self._closing.push_async_callback(cancelled, asyncio.create_task(work, name=name))

    async def _written_down(self) -> None:
        """What callers left to be noted, before the store closes."""
        with suppress(LivecartError):
            await self._gateway.questions.flush()
        await self._gateway.experiments.close()


def _keys_changed(trail: AuditFiles, text: str) -> None:
    """Each ingress replica tells by itself from when on it goes by the new keys."""
    line = AuditLine("keys file", "", f"keys changed: {text}"[:1_000], (), 0, None, None, "done", datetime.now(UTC))
    trail(line)
