"""What is wrong with a configuration, found before the platform is told of it: while nothing runs, or while the old one serves."""

import warnings
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from pydantic import BaseModel, ValidationError
from ray.serve.config import AutoscalingConfig
from ray.serve.schema import DeploymentSchema, HTTPOptionsSchema, RayActorOptionsSchema, ServeApplicationSchema, ServeDeploySchema

from deployments.ingress.key_watch import KEYS_FILE_VARIABLE, KEYS_VARIABLE, auth_from_environment
from deployments.launch.config import APPLICATION, IMPORT_PATH, read_yaml
from deployments.launch.errors import ConfigRefusedError
from deployments.launch.named import wrong_names
from deployments.launch.plan import Change, Document, user_config
from deployments.launch.schema import read_schema
from deployments.launch.told import parsed, unknown, unread
from deployments.loading import check_detector
from deployments.settings import (
    ComprehensionConfig,
    DetectorConfig,
    Frozen,
    IngressConfig,
    PlacementSettings,
    RankerConfig,
    RetrieverConfig,
    Settings,
    WriterConfig,
)
from models.types import ArtifactError

CONFIG = "Detector.user_config"
CONFIGS: Mapping[str, type[Frozen]] = {
    "Ingress": IngressConfig,
    "Detector": DetectorConfig,
    "Writer": WriterConfig,
    "Retriever": RetrieverConfig,
    "Ranker": RankerConfig,
    "Comprehension": ComprehensionConfig,
}
OPTIONS: Mapping[str, type[BaseModel]] = {"autoscaling_config": AutoscalingConfig, "ray_actor_options": RayActorOptionsSchema}


def require_sound(config: Path, *, import_path: str = IMPORT_PATH) -> None:
    """Raises ConfigRefusedError that lists what is wrong with the file."""
    if found := problems(config, import_path=import_path):
        raise ConfigRefusedError("\n".join([f"{config} cannot be served:", *found, "Nothing was deployed."]))


def require_keys(environment: Mapping[str, str]) -> None:
    """Raises ConfigRefusedError when the keys that the environment names are none: no ingress replica could start."""
    try:
        auth_from_environment(environment)
    except (ValueError, OSError) as error:
        raise ConfigRefusedError(f"{KEYS_VARIABLE} and {KEYS_FILE_VARIABLE} cannot be served: {error}\nNothing was started.") from error


def problems(config: Path, *, import_path: str = IMPORT_PATH) -> list[str]:
    """All that can be told from the file and this machine's disk, a line each; nothing is started, no weight is loaded.

    Of an application other than ours only what Ray Serve says. Raises ConfigRefusedError for a file that is no YAML mapping.
    """
    document = read_yaml(config)
    applications = document.get("applications")
    listed = [one for one in applications if isinstance(one, Mapping)] if isinstance(applications, list) else []
    ours = [one for one in listed if one.get("name") == APPLICATION and one.get("import_path") == IMPORT_PATH]
    with warnings.catch_warnings(action="ignore", category=FutureWarning):  # of the next Ray; the replicas' logs hold them
        found = [*_listening(document), *(line for one in ours for line in _application(one))] if ours else []
        if found:
            return found
        try:
            read_schema(config, port=1, import_path=import_path)
        except ConfigRefusedError as error:
            return [str(error)]
    return []


def require_loadable(changes: Sequence[Change], edited: Document) -> None:
    """Raises ConfigRefusedError when the edit gives the detector settings that it cannot start with.

    Only the detector is tried: it loads in seconds, and its checkpoint is what is edited most. What `problems` leaves, Serve tells.
    """
    if not any(change.where.startswith(CONFIG) for change in changes):
        return
    settings: Mapping[str, object] = user_config(edited, "Detector")
    try:
        check_detector(DetectorConfig.model_validate(settings))
    except (ArtifactError, ValidationError) as error:
        raise ConfigRefusedError(f"{CONFIG}: {error}\nNothing was deployed; what ran before goes on.") from error


def _listening(document: Document) -> Iterator[str]:
    yield from unread(ServeDeploySchema, document, "")
    yield from unread(HTTPOptionsSchema, document.get("http_options"), "http_options")


def _application(application: Document) -> Iterator[str]:
    yield from unread(ServeApplicationSchema, application, "")
    settings, wrong = parsed(Settings, application.get("args") or {}, "args")
    yield from wrong
    if settings is not None:
        yield from wrong_names(settings, "args")
    entries = application.get("deployments") or []
    if not isinstance(entries, list):
        yield f"deployments: a list is needed, not {entries!r}"
        return
    seen: set[str] = set()
    for place, entry in enumerate(entries):
        name = entry.get("name") if isinstance(entry, Mapping) else None
        if not isinstance(name, str):
            yield f"deployments, entry {place + 1}: it has no name; there are {', '.join(CONFIGS)}"
            continue
        if name in seen:
            yield f"{name}: it is listed twice"
        seen.add(name)
        yield from _deployment(name, entry, settings.placement if settings is not None else None)


def _deployment(name: str, entry: Document, placement: PlacementSettings | None) -> Iterator[str]:
    if name not in CONFIGS:
        yield unknown("", name, CONFIGS, what="deployment")
        return
    placed = getattr(placement, name.lower(), "replica")
    if placed != "replica":
        yield f"{name}: there is no such deployment while args.placement.{name.lower()} is {placed}; set it to replica, or remove the entry"
    yield from _options(name, entry)
    config, wrong = parsed(CONFIGS[name], entry.get("user_config") or {}, f"{name}.user_config")
    yield from wrong
    if config is not None:
        yield from wrong_names(config, f"{name}.user_config")


def _options(name: str, entry: Document) -> Iterator[str]:
    """What Ray Serve refuses, and what it would pass over in silence."""
    yield from unread(DeploymentSchema, entry, name)
    yield from parsed(DeploymentSchema, {**entry, "user_config": None}, name)[1]
    for option, model in OPTIONS.items():
        value = entry.get(option)
        if isinstance(value, Mapping):
            yield from unread(model, value, f"{name}.{option}")
    if isinstance(scaling := entry.get("autoscaling_config"), Mapping):
        yield from parsed(AutoscalingConfig, scaling, f"{name}.autoscaling_config")[1]
