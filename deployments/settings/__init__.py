"""The one settings model. `serve_config.yaml` fills it; secrets come only from the environment.

`Settings` is the argument of `deployments.app:build`. What restarts everything when edited (`args`) is kept small: home, store,
placement. What MLOps edits often is each deployment's `user_config`, one of the `*Config` models here, applied to live replicas.
"""

from deployments.settings.base import Frozen
from deployments.settings.ingress import (
    ExperimentConfig,
    GraphConfig,
    IngressConfig,
    Limits,
    QuestionSettings,
    RequestLimits,
    RequestRate,
    RoomLimits,
    TokenLimits,
    VariantConfig,
)
from deployments.settings.models import ZOO, ComprehensionConfig, DetectorConfig, RankerConfig, RetrieverConfig, WriterConfig
from deployments.settings.platform import CoalesceSettings, FrontSettings, PlacementSettings, Settings
from deployments.settings.triton import TritonModelConfig

__all__ = [
    "ZOO",
    "CoalesceSettings",
    "ComprehensionConfig",
    "DetectorConfig",
    "ExperimentConfig",
    "FrontSettings",
    "Frozen",
    "GraphConfig",
    "IngressConfig",
    "Limits",
    "PlacementSettings",
    "QuestionSettings",
    "RankerConfig",
    "RequestLimits",
    "RequestRate",
    "RetrieverConfig",
    "RoomLimits",
    "Settings",
    "TokenLimits",
    "TritonModelConfig",
    "VariantConfig",
    "WriterConfig",
]
