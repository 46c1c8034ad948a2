"""Callers in a process of their own: keep-alive connections that send frames as raw bodies, each asking again when answered.

`python -m benchmarks.vision.asking FOLDER PORT ROOM`: each line of standard input is a job, each line of standard output its result.
"""

import json
import sys
from dataclasses import asdict
from pathlib import Path
from urllib.parse import quote

import uvloop

from benchmarks.overhead.client import load_in_turn, post
from benchmarks.vision.bare import answer
from benchmarks.vision.measured import Job


def main() -> None:
    folder, port, room = sys.argv[1:]
    path = f"/v1/recognize?room_id={quote(room)}"
    requests = [post(path, file.read_bytes(), content_type="image/jpeg") for file in sorted(Path(folder).iterdir())]
    answer({"requests": len(requests)})
    for line in sys.stdin:
        job = Job(**json.loads(line))
        seen = uvloop.run(load_in_turn(int(port), requests, callers=job.size, seconds=job.seconds))
        answer(asdict(seen))


if __name__ == "__main__":
    main()
