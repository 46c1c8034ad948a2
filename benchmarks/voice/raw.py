"""`vllm serve` on the platform's weights with the platform's settings, and `vllm bench serve`, both unmodified."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.served import START_S, STOP_S, configured
from deployments.launch.ports import free_ports
from deployments.settings import WriterConfig
from models.language.environment import writer_environment

NAME = "writer"
_VLLM = (sys.executable, "-m", "benchmarks.voice.vllm_cli")


def writer_of(config: Path) -> WriterConfig:
    """The writer as a configuration has it."""
    _, named = configured(config, "Writer")
    return WriterConfig.model_validate(named.get("user_config", {}))


@contextmanager
def vllm_serve(config: WriterConfig, folder: Path) -> Iterator[int]:
    """Its port, until the block ends. Raises RuntimeError with its output when it does not get ready."""
    (port,) = free_ports(1)
    output = folder / "vllm.txt"
    environment = os.environ | writer_environment(config.model, threads=config.threads)
    with output.open("wb") as file:
        server = subprocess.Popen(_command(config, port), stdout=file, stderr=subprocess.STDOUT, env=environment, start_new_session=True)
    try:
        _wait(server, port, output)
        yield port
    finally:
        server.send_signal(signal.SIGINT)
        server.wait(STOP_S)


def _command(config: WriterConfig, port: int) -> list[str]:
    """The engine's options as `models.language.writer.Writer.start` sets them on a CPU."""
    options = {
        "host": "127.0.0.1",
        "port": port,
        "served-model-name": NAME,
        "max-model-len": config.max_model_len,
        "max-num-seqs": 64,
        "kv-cache-memory-bytes": int(config.kv_cache_gib * (1 << 30)),
    }
    eager = ["--enforce-eager"] if config.enforce_eager else []
    return [*_VLLM, "serve", config.model, *(word for name, value in options.items() for word in (f"--{name}", str(value))), *eager]


def _wait(server: "subprocess.Popen[bytes]", port: int, output: Path) -> None:
    ends = time.monotonic() + START_S
    while True:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=2):
                return
        except (urllib.error.URLError, OSError):
            if server.poll() is not None or time.monotonic() > ends:
                raise RuntimeError(f"vllm serve did not start:\n{output.read_text(encoding='utf-8')}") from None
            time.sleep(0.5)


def bench(port: int, config: WriterConfig, folder: Path, *, callers: int, prompts: int, lengths: tuple[int, int]) -> dict[str, Any]:
    """The report of `vllm bench serve`: chats of random tokens, `lengths` read and written. Raises RuntimeError with its output."""
    options = {
        "backend": "openai-chat",
        "base-url": f"http://127.0.0.1:{port}",
        "endpoint": "/v1/chat/completions",
        "model": NAME,
        "tokenizer": config.model,
        "dataset-name": "random",
        "random-input-len": lengths[0],
        "random-output-len": lengths[1],
        "num-prompts": prompts,
        "num-warmups": min(prompts, callers),
        "max-concurrency": callers,
        "temperature": 0,
        "seed": 0,
        "result-dir": folder,
        "result-filename": "report.json",
    }
    command = [*_VLLM, "bench", "serve", "--ignore-eos", "--save-result", "--disable-tqdm"]
    command += [word for name, value in options.items() for word in (f"--{name}", str(value))]
    environment = os.environ | writer_environment(config.model)
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, start_new_session=True)
    if ended.returncode:
        raise RuntimeError(f"vllm bench serve failed:\n{ended.stdout}\n{ended.stderr}")
    report: dict[str, Any] = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    return report
