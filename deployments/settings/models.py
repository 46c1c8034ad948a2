"""Which models are served, from where, and how: each deployment's `user_config`, applied to live replicas."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from deployments.settings.base import Frozen

ZOO = Path(__file__).resolve().parents[2] / "models" / "zoo"


class DetectorConfig(Frozen):
    detector: str = str(ZOO / "detector")  # local folder or hub id of any AutoModelForObjectDetection checkpoint
    device: str = "cpu"  # of torch: cpu, cuda, cuda:1
    precision: Literal["float32", "bfloat16"] = "float32"  # bfloat16: GPUs, and CPUs with AMX or AVX512-BF16
    runtime: Literal["auto", "openvino", "torch"] = "auto"  # auto: OpenVINO on a CPU, torch elsewhere and for what does not convert
    compile: bool = False  # torch only: compiled, with CUDA graphs on a GPU
    threads: Annotated[int, Field(ge=1, le=256)] | None = 1  # of a forward pass; None: one a core
    min_score: Annotated[float, Field(ge=0, le=1)] = 0.4
    max_megapixels: Annotated[float, Field(gt=0, le=1_000)] = 40.0
    max_detections: Annotated[int, Field(ge=1, le=300)] = 20


class WriterConfig(Frozen):
    model: str = str(ZOO / "writer")  # local folder or hub id of any causal LM that vLLM serves
    max_model_len: Annotated[int, Field(ge=128)] = 1024
    enforce_eager: bool = True
    kv_cache_gib: Annotated[float, Field(gt=0)] = 0.25  # CPU only
    gpu_memory_utilization: Annotated[float, Field(gt=0, le=1)] = 0.9  # GPU only
    tensor_parallel_size: Annotated[int, Field(ge=1)] = 1
    threads: Annotated[int, Field(ge=1)] | None = 1  # CPU only: of the engine process
    engine_args: dict[str, object] = {}  # anything else of vllm's AsyncEngineArgs
    name: str | None = None  # in /v1/models; None: the last part of a folder, or the hub id
    adapters: dict[str, str] = {}  # LoRA adapters by name, each a folder in PEFT's format; a call chooses one as its `model`
    tool_parser: str | None = None  # one of vLLM's tool parsers, for a checkpoint whose chat template knows tools


class RetrieverConfig(Frozen):
    text_embedder: str = str(ZOO / "text_embedder")
    recommender: str = str(ZOO / "recommender")
    reranker: str | None = str(ZOO / "reranker")  # or folder or hub id of a transformers cross-encoder; None: the fused order stands
    rerank_depth: Annotated[int, Field(ge=1, le=200)] = 20  # passages of a question that it looks at


class RankerConfig(Frozen):
    recommender: str = str(ZOO / "recommender")


class ComprehensionConfig(Frozen):
    intent: str = str(ZOO / "intent")
    sentiment: str = str(ZOO / "sentiment")
