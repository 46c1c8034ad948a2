"""The model alone in a process of its own: loads what the configuration names, then detects as it is told.

`python -m benchmarks.vision.bare FOLDER CONFIG EMBEDDER`: each line of standard input is a job, each line of standard output its result.
"""

import json
import sys
import time
from collections.abc import Iterator
from itertools import cycle, islice
from pathlib import Path

from benchmarks.vision.measured import Bare, Job
from deployments.loading import load_detector
from deployments.settings import DetectorConfig


def main() -> None:
    folder, config, embedder = sys.argv[1:]
    frames = [path.read_bytes() for path in sorted(Path(folder).iterdir())]
    model = load_detector(DetectorConfig.model_validate_json(config), embedder)
    answer({"runtimes": model.runtimes})
    turns = cycle(frames)
    for line in sys.stdin:
        job = Job(**json.loads(line))
        took_s: list[float] = []
        cpu_before = time.process_time()
        for batch in _batches(turns, job):
            started = time.perf_counter()
            model.detect(batch)
            took_s.append(time.perf_counter() - started)
            time.sleep(job.pause_s)
        answer(Bare.of(job, took_s, cpu_s=time.process_time() - cpu_before).as_dict())


def answer(value: object) -> None:
    print(json.dumps(value), flush=True)


def _batches(turns: Iterator[bytes], job: Job) -> Iterator[list[bytes]]:
    """Batches until the time is over, one at least."""
    ends = time.perf_counter() + job.seconds
    while True:
        yield list(islice(turns, job.size))
        if time.perf_counter() >= ends:
            return


if __name__ == "__main__":
    main()
