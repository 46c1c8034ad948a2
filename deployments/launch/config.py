"""Reads where `serve_config.yaml` wants to listen, and refuses what is unsafe. `schema.py` checks the rest, which needs Ray."""

import ipaddress
import os
from dataclasses import dataclass, field
from pathlib import Path

import yaml
from pydantic import ValidationError

from deployments.launch.errors import ConfigRefusedError
from deployments.settings import FrontSettings

APPLICATION = "livecart"
IMPORT_PATH = "deployments.app:build"
LOOPBACK = "127.0.0.1"
DEFAULT_PORT = 8000
ANY_ADDRESS = "0.0.0.0"  # noqa: S104  # compared with what the file says
KEYS_VARIABLES = ("LIVECART_KEYS", "LIVECART_KEYS_FILE")


@dataclass(frozen=True, slots=True)
class FrontEnd:
    """The one address that callers use."""

    host: str
    port: int
    limits: FrontSettings = field(default_factory=FrontSettings)

    @property
    def url(self) -> str:
        """The address for a caller on this machine."""
        host = LOOPBACK if self.host == ANY_ADDRESS else self.host
        return f"http://{f'[{host}]' if ':' in host else host}:{self.port}"


def read_yaml(path: Path) -> dict[str, object]:
    """The file's mapping. Raises `ConfigRefusedError`."""
    try:
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigRefusedError(f"{path} does not exist. Start from the repository's root, or give --config FILE.") from None
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigRefusedError(f"{path} cannot be read as YAML: {error}") from error
    if not isinstance(raw, dict):
        raise ConfigRefusedError(f"{path} holds {type(raw).__name__}, not a mapping with `applications`.")
    return raw


def http_options(path: Path, raw: dict[str, object]) -> dict[str, object]:
    """The file's `http_options`, empty when it has none."""
    options = raw.get("http_options") or {}
    if not isinstance(options, dict):
        raise ConfigRefusedError(f"{path}: http_options must be a mapping such as {{host: 127.0.0.1, port: 8000}}, not {options!r}.")
    return options


def read_front_end(path: Path, *, port: int | None = None) -> FrontEnd:
    """The configured address, 127.0.0.1:8000 by default, on `port` when given. Raises `ConfigRefusedError`."""
    document = read_yaml(path)
    options = http_options(path, document)
    host = str(options.get("host", LOOPBACK))
    try:
        address = str(ipaddress.ip_address(LOOPBACK if host == "localhost" else host))
        front_end = FrontEnd(address, int(str(port or options.get("port", DEFAULT_PORT))), _limits(path, document))
    except ValueError as error:
        raise ConfigRefusedError(f"{path}: http_options must name an IP address and a port: {error}.") from error
    _require_keys_beyond_loopback(path, front_end)
    return front_end


def _limits(path: Path, document: dict[str, object]) -> FrontSettings:
    """`args.front` of our application."""
    applications = document.get("applications")
    listed = [one for one in applications if isinstance(one, dict)] if isinstance(applications, list) else []
    arguments = next((one.get("args") for one in listed if one.get("name") == APPLICATION), None)
    front = arguments.get("front") if isinstance(arguments, dict) else None
    try:
        return FrontSettings.model_validate(front or {})
    except ValidationError as error:
        raise ConfigRefusedError(f"{path}: args.front: {error}") from error


def _require_keys_beyond_loopback(path: Path, front_end: FrontEnd) -> None:
    if ipaddress.ip_address(front_end.host).is_loopback or any(map(os.environ.get, KEYS_VARIABLES)):
        return
    raise ConfigRefusedError(
        f"{path} sets http_options.host to {front_end.host}, which other machines reach, and no key is configured "
        f"({' or '.join(KEYS_VARIABLES)}): everybody could change the catalogue. Set keys, or serve {LOOPBACK}."
    )
