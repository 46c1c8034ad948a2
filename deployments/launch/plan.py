"""What an edit of `serve_config.yaml` would change and what it would restart, before it is deployed.

Ray Serve decides by option; `CONSEQUENCES` states its decisions (a test compares them with the pinned Ray).
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import cast

from deployments.launch.config import APPLICATION, DEFAULT_PORT
from deployments.settings import PlacementSettings

Document = Mapping[str, object]


class Consequence(StrEnum):
    """In the order of how much they disturb."""

    NOTHING = "no replica is touched"
    LIVE = "applied to live replicas"
    STARTS = "this deployment starts"
    ROLLING = "rolling restart of this deployment"
    ENDS = "this deployment ends"
    EVERYTHING = "every deployment restarts, one replica after the other"
    NEW_START = "needs `livecart down` and `livecart up`"


CONSEQUENCES: Mapping[str, Consequence] = {
    "num_replicas": Consequence.NOTHING,
    "max_queued_requests": Consequence.NOTHING,
    "rolling_update_percentage": Consequence.NOTHING,
    "max_surge_percent": Consequence.NOTHING,
    "max_ongoing_requests": Consequence.LIVE,
    "user_config": Consequence.LIVE,
    "autoscaling_config": Consequence.LIVE,
    "backpressure_config": Consequence.LIVE,
    "request_router_config": Consequence.LIVE,
    "logging_config": Consequence.LIVE,
    "graceful_shutdown_timeout_s": Consequence.LIVE,
    "graceful_shutdown_wait_loop_s": Consequence.LIVE,
    "health_check_period_s": Consequence.LIVE,
    "health_check_timeout_s": Consequence.LIVE,
    "max_constructor_retry_count": Consequence.LIVE,
    "version": Consequence.ROLLING,
    "gang_scheduling_config": Consequence.ROLLING,
    "deployment_actors": Consequence.ROLLING,
    "ray_actor_options": Consequence.ROLLING,
    "placement_group_bundles": Consequence.ROLLING,
    "placement_group_strategy": Consequence.ROLLING,
    "placement_group_bundle_label_selector": Consequence.ROLLING,
    "max_replicas_per_node": Consequence.ROLLING,
}
FRONT = "args.front"  # HAProxy's, which starts with the platform
EMPTY: tuple[object, ...] = (None, {})
APPLICATION_FIELDS = frozenset({"import_path", "runtime_env", "args", "route_prefix"})


@dataclass(frozen=True, slots=True)
class Change:
    """One edited value. `where`: `Detector.num_replicas`, `args.placement.ranker`, `http_options.port`; None means absent."""

    where: str
    old: object
    new: object
    consequence: Consequence


def plan(old: Document, new: Document) -> list[Change]:
    """The changes between two configurations of the application `livecart`, the most disturbing first."""
    changes = [
        *_changes(_without(old, "applications"), _without(new, "applications"), lambda _: Consequence.NEW_START),
        *_application(_application_of(old), _application_of(new)),
    ]
    order = list(Consequence)
    return sorted(changes, key=lambda change: (-order.index(change.consequence), change.where))


def at_port(deployed: Document, edited: Document, port: int | None) -> Document:
    """The deployed configuration with the port that is listened on, which is not the file's after `livecart up --port`.

    An edit that names the port in effect changes nothing, nor does one that leaves the file's port as it was deployed.
    """
    if port is None:
        return deployed
    before, after = _listening(deployed), _listening(edited)
    is_kept = after.get("port", DEFAULT_PORT) in (before.get("port", DEFAULT_PORT), port)
    now = {name: value for name, value in after.items() if name == "port"} if is_kept else {"port": port}
    return {**deployed, "http_options": {**_without(before, "port"), **now}}


def _listening(document: Document) -> Document:
    return cast(Document, document.get("http_options") or {})


def user_config(document: Document, deployment: str) -> Document:
    """What a configuration gives a deployment to apply live; empty when it gives nothing."""
    return cast(Document, _deployments(_application_of(document)).get(deployment, {}).get("user_config") or {})


def _application(old: Document, new: Document) -> Iterator[Change]:
    yield from _changes(
        _without(old, "deployments"),
        _without(new, "deployments"),
        lambda name: Consequence.EVERYTHING if name in APPLICATION_FIELDS else Consequence.LIVE,
    )
    before, after = _deployments(old), _deployments(new)
    for name in sorted({*before, *after}):
        judge = _judge(was_there=_is_placed(name, old), is_there=_is_placed(name, new))
        pairs = _changes(before.get(name, {}), after.get(name, {}), judge)
        yield from (Change(f"{name}.{change.where}", change.old, change.new, change.consequence) for change in pairs)


def _judge(*, was_there: bool, is_there: bool) -> Callable[[str], Consequence]:
    if was_there == is_there:
        return lambda option: CONSEQUENCES.get(option, Consequence.ROLLING)
    return lambda _: Consequence.STARTS if is_there else Consequence.ENDS


def _is_placed(deployment: str, application: Document) -> bool:
    """Whether the application has this deployment: an entry only gives options to one that `args.placement` has made."""
    name = deployment.lower()
    if name not in PlacementSettings.model_fields:
        return True
    arguments = cast(Document, application.get("args") or {})
    placement = cast(Document, arguments.get("placement") or {})
    return placement.get(name, PlacementSettings.model_fields[name].default) == "replica"


def _application_of(document: Document) -> Document:
    applications = cast("list[Document]", document.get("applications") or [])
    return next((one for one in applications if one.get("name") == APPLICATION), {})


def _deployments(application: Document) -> dict[str, Document]:
    listed = cast("list[Document]", application.get("deployments") or [])
    return {str(one["name"]): _without(one, "name") for one in listed}


def _without(document: Document, key: str) -> Document:
    return {name: value for name, value in document.items() if name != key}


def _changes(old: Document, new: Document, judge: Callable[[str], Consequence]) -> Iterator[Change]:
    """Leaves that differ; `judge` is asked about the outermost name."""
    for name in sorted({*old, *new}):
        for where, before, after in _leaves(name, old.get(name), new.get(name)):
            yield Change(where, before, after, Consequence.NEW_START if where.startswith(FRONT) else judge(name))


def _leaves(where: str, old: object, new: object) -> Iterator[tuple[str, object, object]]:
    if isinstance(old, dict | None) and isinstance(new, dict | None) and (old or new):
        before, after = old or {}, new or {}
        for name in sorted({*before, *after}):
            yield from _leaves(f"{where}.{name}", before.get(name), after.get(name))
    elif old != new and not (old in EMPTY and new in EMPTY):
        yield where, old, new
