"""Which models `/v2` serves now: the table, less what an operator unloaded."""

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from deployments.ingress.oip.statistics import Statistics
from deployments.ingress.oip.table import VERSION, ModelSpec
from graphs.errors import ModelNotFound


class Unloaded(Protocol):
    """The names of models that are not served."""

    def __contains__(self, name: object) -> bool: ...

    def add(self, name: str) -> None: ...

    def discard(self, name: str) -> None: ...


class UnloadedFolder:
    """Names as empty files of a folder: every ingress process of this machine sees them, also one that starts later."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __contains__(self, name: object) -> bool:
        return (self._folder / str(name)).exists()

    def add(self, name: str) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        (self._folder / name).touch()

    def discard(self, name: str) -> None:
        (self._folder / name).unlink(missing_ok=True)


class ServedModels:
    def __init__(self, unloaded: Unloaded | None = None) -> None:
        self.unloaded: Unloaded = set() if unloaded is None else unloaded
        self.statistics = Statistics()

    def find(self, specs: Mapping[str, ModelSpec], name: str, version: str | None = None) -> ModelSpec:
        """Raises ModelNotFound for a model that there is not, is unloaded, or has no such version."""
        spec = self.known(specs, name)
        if version not in (None, VERSION):
            raise ModelNotFound(f"model `{name}` has no version `{version[:20]}`; there is {VERSION}")
        if spec.name in self.unloaded:
            raise ModelNotFound(f"model `{name}` is unloaded; POST /v2/repository/models/{name}/load serves it again")
        return spec

    def known(self, specs: Mapping[str, ModelSpec], name: str) -> ModelSpec:
        """As `find`, unloaded or not."""
        spec = specs.get(name)
        if spec is None:
            raise ModelNotFound(f"no model `{name[:200]}`; there are {', '.join(specs)}")
        return spec

    def unload(self, spec: ModelSpec, *, steps_too: bool) -> None:
        for name in (spec.name, *(spec.steps if steps_too else ())):
            self.unloaded.add(name)
