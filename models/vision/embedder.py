"""The product embedder that ships: a small residual network whose unit vectors tell products apart."""

import torch
import torch.nn.functional as F  # noqa: N812  # the field's name for it
from torch import Tensor, nn
from transformers import PreTrainedConfig, PreTrainedModel

from models.vision.architecture import stage


class EmbedderConfig(PreTrainedConfig):  # type: ignore[misc]  # transformers is untyped here
    """`match_threshold`: the cosine above which two pictures show the same product, from the training's evaluation."""

    model_type = "livecart_embedder"

    def __init__(
        self,
        widths: tuple[int, ...] = (24, 64, 128, 256),
        depths: tuple[int, ...] = (0, 1, 2, 1),
        dim: int = 128,
        match_threshold: float = 0.5,
        **kwargs: object,
    ) -> None:
        self.widths = list(widths)
        self.depths = list(depths)
        self.dim = dim
        self.match_threshold = match_threshold
        super().__init__(**kwargs)


class ProductEmbedder(PreTrainedModel):  # type: ignore[misc]  # transformers is untyped here
    config_class = EmbedderConfig
    base_model_prefix = "embedder"
    main_input_name = "pixel_values"

    def __init__(self, config: EmbedderConfig) -> None:
        super().__init__(config)
        inputs = (3, *config.widths[:-1])
        self.stages = nn.Sequential(
            *(stage(into, out, depth) for into, out, depth in zip(inputs, config.widths, config.depths, strict=True))
        )
        self.project = nn.Linear(config.widths[-1] * 5, config.dim)
        self.post_init()

    def _init_weights(self, module: nn.Module) -> None:
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def get_image_features(self, pixel_values: Tensor, **_: object) -> Tensor:
        """Unit vectors, float (n, dim), of `pixel_values` float (n, 3, side, side) in 0..1.

        Pooled over the whole picture and over its quarters: where the parts of a product sit tells it from its likes.
        """
        features = self.stages(pixel_values)
        pooled = (F.adaptive_avg_pool2d(features, 1).flatten(1), F.adaptive_max_pool2d(features, 2).flatten(1))
        return F.normalize(self.project(torch.cat(pooled, dim=1)).float(), dim=-1)

    def forward(self, pixel_values: Tensor, **_: object) -> Tensor:
        return self.get_image_features(pixel_values)
