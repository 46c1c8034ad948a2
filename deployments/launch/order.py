"""What the command hands to the process that it becomes."""

import json
from dataclasses import dataclass
from pathlib import Path

from deployments.launch.prepare import Run


@dataclass(frozen=True, slots=True)
class Order:
    """What to start; crosses the exec as JSON."""

    run: Run
    config: Path
    url: str
    port: int
    import_path: str
    num_cpus: int | None
    timeout_s: float

    def to_json(self) -> str:
        return json.dumps(
            {
                "run": [self.run.run_id, str(self.run.home), str(self.run.folder), str(self.run.logs)],
                "config": str(self.config),
                "rest": [self.url, self.port, self.import_path, self.num_cpus, self.timeout_s],
            }
        )

    @classmethod
    def from_json(cls, text: str) -> "Order":
        raw = json.loads(text)
        run_id, *folders = raw["run"]
        return cls(Run(run_id, *map(Path, folders)), Path(raw["config"]), *raw["rest"])
