"""What the parts of a session stand on."""

from collections.abc import Callable
from dataclasses import dataclass

from deployments.ingress.ports import Gateway
from deployments.ingress.session.memory import RoomMemory
from deployments.ingress.session.turns import Turns
from deployments.telemetry import Telemetry
from models.types import RoomId


@dataclass(frozen=True, slots=True)
class Surroundings:
    gateway: Gateway
    telemetry: Telemetry
    clock: Callable[[], float]  # seconds that only go up
    room_id: RoomId
    memory: RoomMemory
    turns: Turns
