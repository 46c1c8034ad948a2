"""vLLM's own metrics as text and as numbers."""

from collections import defaultdict

from prometheus_client import REGISTRY, CollectorRegistry, Metric, generate_latest

_PREFIX = "vllm:"


class _OnlyEngine:
    """A collector that shows vLLM's part of the process's registry."""

    def collect(self) -> list[Metric]:
        return [metric for metric in REGISTRY.collect() if metric.name.startswith(_PREFIX)]


def engine_metrics_text() -> str:
    """vLLM's metrics in Prometheus' text format, without other metrics of the process."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_OnlyEngine())
    return generate_latest(registry).decode()


def engine_counters() -> dict[str, float]:
    """Counters and gauges by sample name (`vllm:generation_tokens_total`), summed over their labels; histograms are left out."""
    sums: defaultdict[str, float] = defaultdict(float)
    for metric in _OnlyEngine().collect():
        if metric.type in {"counter", "gauge"}:
            for sample in metric.samples:
                if not sample.name.endswith("_created"):
                    sums[sample.name] += sample.value
    return dict(sums)
