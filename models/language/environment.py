"""The environment of a process that serves a writer; vLLM reads it when it is imported."""

from pathlib import Path


def writer_environment(model: str | Path, *, threads: int | None = None) -> dict[str, str]:
    """Variables for the replica and the engine's own processes. `threads`: of the arithmetic on a CPU; None leaves it to torch.

    VLLM_CPU_KVCACHE_SPACE stays unset: it is a whole number of GiB and would win over `kv_cache_gib`.
    """
    variables = {
        "TOKENIZERS_PARALLELISM": "false",
        "VLLM_CPU_OMP_THREADS_BIND": "nobind",  # pinning to cores would starve the other replicas
        "VLLM_DO_NOT_TRACK": "1",
        "VLLM_HOST_IP": "127.0.0.1",  # the engine's processes talk to each other on this machine only
        "VLLM_LOGGING_LEVEL": "WARNING",
        "VLLM_NO_USAGE_STATS": "1",
        "VLLM_WORKER_MULTIPROC_METHOD": "spawn",
    }
    if Path(model).is_dir():
        variables["HF_HUB_OFFLINE"] = "1"
    if threads is not None:
        variables["OMP_NUM_THREADS"] = str(threads)
    return variables
