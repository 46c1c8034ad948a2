"""What a configuration names outside itself: local folders of models, a shop's rules, graphs and nodes. Opened, not loaded."""

from collections.abc import Iterator, Mapping
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from deployments.launch.told import unknown
from deployments.settings import ExperimentConfig, Frozen, GraphConfig, IngressConfig
from deployments.shop_rules import rulebook
from graphs.errors import GraphError
from models.artifacts import MANIFEST, read_manifest
from models.types import ArtifactError

if TYPE_CHECKING:
    from deployments.ports import Ports

CHECKPOINTS = frozenset({"detector", "embedder", "model"})  # a folder in hub format, a hub id or a URL
ARTIFACTS: Mapping[str, str] = {  # a folder with our manifest, or a URL -> its kind
    "text_embedder": "text-embedder",
    "recommender": "recommender",
    "intent": "text-classifier",
    "sentiment": "text-classifier",
}


def wrong_names(config: Frozen, where: str) -> Iterator[str]:
    """A line for each thing that the file names in these settings and that is not there. Defaults are not looked at."""
    for name in sorted(config.model_fields_set):
        value: object = getattr(config, name)
        place = f"{where}.{name}"
        if isinstance(value, Frozen):
            yield from wrong_names(value, place)
        elif isinstance(value, str):
            yield from _wrong_model(name, value, place)
        elif name == "adapters":
            for adapter, folder in cast("dict[str, str]", value).items():
                yield from _wrong_folder(folder, f"{place}.{adapter}", "adapter", "adapter_config.json")
    if isinstance(config, IngressConfig):
        yield from _wrong_rules(config, where)
        yield from _wrong_graphs(config.graphs, f"{where}.graphs")
        yield from _wrong_experiments(config, f"{where}.experiments")


def _wrong_model(name: str, value: str, place: str) -> Iterator[str]:
    if name in ARTIFACTS and "://" not in value:
        yield from _wrong_artifact(value, place, ARTIFACTS[name])
    elif name in CHECKPOINTS:
        yield from _wrong_folder(value, place, name, "config.json", *(["params.json"] if name == "model" else []))
    elif name == "reranker" and _is_local(value):
        if (Path(value).expanduser() / MANIFEST).is_file():
            yield from _wrong_artifact(value, place, "reranker")
        else:
            yield from _wrong_folder(value, place, "reranker", "config.json")


def _is_local(value: str) -> bool:
    """Whether this is a path: a hub id looks like a relative one, and is left to those who load it."""
    return value.startswith(("/", ".", "~")) or Path(value).exists()


def _wrong_folder(value: str, place: str, what: str, *files: str) -> Iterator[str]:
    if not _is_local(value):
        return
    if not Path(value).is_dir():
        yield f"{place}: {value} is no {what}: there is no such folder" + (" (write ~ out)" if value.startswith("~") else "")
    elif not any((Path(value) / file).is_file() for file in files):
        yield f"{place}: {value} is no {what}: it holds no {' or '.join(files)}"


def _wrong_artifact(value: str, place: str, kind: str) -> Iterator[str]:
    folder = Path(value).expanduser()
    if not folder.is_dir():
        yield f"{place}: {value} is no {kind}: there is no such folder"
        return
    try:
        manifest = read_manifest(folder)
    except ArtifactError as error:
        yield f"{place}: {error}"
        return
    if manifest["kind"] != kind:
        yield f"{place}: {value} holds a {manifest['kind']}, a {kind} is needed"
    yield from (f"{place}: {folder / name} is missing" for name in manifest["files"] if not (folder / name).is_file())


def _wrong_rules(config: IngressConfig, where: str) -> Iterator[str]:
    try:
        rulebook(config.compliance_rules)
    except GraphError as error:
        yield f"{where}.compliance_rules: {error}"


def _wrong_graphs(named: Mapping[str, GraphConfig], where: str) -> Iterator[str]:
    """Puts the graphs together over ports with nothing behind them: they are not run."""
    if not named:
        return
    from deployments.gateway import build_graphs  # noqa: PLC0415  # brings the server's libraries, and few edits name a graph

    unplugged = _unplugged()
    known = build_graphs(unplugged, IngressConfig())
    for name, config in named.items():
        if name not in known:
            yield unknown(where, name, known, what="graph")
            continue
        try:
            build_graphs(unplugged, IngressConfig(graphs={name: config}))
        except GraphError as error:
            yield f"{where}.{name}: {error}"


def _wrong_experiments(config: IngressConfig, where: str) -> Iterator[str]:
    """As `_wrong_graphs`, each experiment by itself, also one that is not enabled."""
    if not config.experiments:
        return
    from deployments.experiments.arms import Arms  # noqa: PLC0415
    from deployments.gateway import build_graphs  # noqa: PLC0415

    unplugged = _unplugged()
    known = build_graphs(unplugged, IngressConfig())
    for name, experiment in config.experiments.items():
        if experiment.graph not in known:
            yield unknown(f"{where}.{name}.graph", experiment.graph, known, what="graph")
            continue
        yield from _wrong_rankers(experiment, f"{where}.{name}")
        folders = (variant.recommender for variant in experiment.variants.values() if variant.recommender is not None)
        rankers = cast("dict[str, Any]", dict.fromkeys(folders))
        try:
            build_graphs(
                unplugged,
                IngressConfig(graphs={graph: one for graph, one in config.graphs.items() if graph == experiment.graph}),
                arms=Arms({name: experiment.model_copy(update={"enabled": True})}, rankers),
            )
        except GraphError as error:
            yield f"{where}.{name}: {error}"


def _wrong_rankers(experiment: ExperimentConfig, where: str) -> Iterator[str]:
    for label, variant in experiment.variants.items():
        if variant.recommender is not None:
            yield from _wrong_model("recommender", variant.recommender, f"{where}.variants.{label}.recommender")


def _unplugged() -> "Ports":
    from deployments.ports import Ports  # noqa: PLC0415

    return Ports(**cast("dict[str, Any]", {port.name: None for port in fields(Ports)}))
