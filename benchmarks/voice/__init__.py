"""What the writer does a second, under `vllm serve` and through the ingress. `python -m benchmarks.voice --help`."""
