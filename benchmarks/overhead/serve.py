"""One server in the foreground until it is told to stop: `python -m benchmarks.overhead.serve NAME PORT`."""

import os
import signal
import sys
import threading
from pathlib import Path

SERVERS = {
    "replicas": "livecart, every node in its own replica",
    "fused": "livecart, nodes fused",
    "plain_ray": "Ray Serve, default flags",
    "one_process": "one FastAPI process",
    "litserve": "LitServe, one API",
}
OURS = ("replicas", "fused")


def main() -> None:
    name, port = sys.argv[1], int(sys.argv[2])
    if name == "one_process":
        _uvicorn(port)
    elif name == "litserve":
        from benchmarks.overhead import lit  # noqa: PLC0415  # each server imports only what it needs

        lit.serve(port)
    else:
        _ray(name, port)


def _uvicorn(port: int) -> None:
    import uvicorn  # noqa: PLC0415  # as above

    from benchmarks.overhead.peers import one_process  # noqa: PLC0415  # as above

    uvicorn.run(one_process(), host="127.0.0.1", port=port, log_level="warning", access_log=False)


def _ray(name: str, port: int) -> None:
    import ray  # noqa: PLC0415  # as above
    from ray import serve  # noqa: PLC0415  # as above

    folder = Path(os.environ["OVERHEAD_FOLDER"])
    if name in OURS:
        from deployments.launch.cluster import start_ray  # noqa: PLC0415  # as above

        start_ray(folder, num_cpus=8)
    else:
        ray.init(num_cpus=8, include_dashboard=False, _temp_dir=str(folder), object_store_memory=200 * 2**20, log_to_driver=False)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    serve.start(http_options={"host": "127.0.0.1", "port": port})
    serve.run(_application(name), route_prefix="/", blocking=False)
    print("ready", flush=True)
    stop.wait()
    serve.shutdown()
    ray.shutdown()


def _application(name: str) -> object:
    if name == "plain_ray":
        from benchmarks.overhead.peers import plain_ray  # noqa: PLC0415  # as above

        return plain_ray()
    from benchmarks.overhead.own import fused, replicas  # noqa: PLC0415  # as above
    from deployments.settings import CoalesceSettings  # noqa: PLC0415  # as above

    return fused() if name == "fused" else replicas(CoalesceSettings(max_in_flight=1))  # one for each replica


if __name__ == "__main__":
    main()
