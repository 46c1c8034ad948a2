"""The product embedder that ships: a small residual network whose unit vectors tell products apart."""

import torch
import torch.nn.functional as F  # noqa: N812  # the field's name for it
from torch import Tensor, nn
from transformers import PreTrainedConfig, PreTrainedModel

from models.vision.architecture import stage


class EmbedderConfig(PreTrainedConfig):  # type: ignore[misc]  # transformers is untyped here
    """`palette`: levels per channel of the colour histogram beside the learned features, 0 for none.

    `match_threshold`: the cosine above which two pictures show the same product, from the training's evaluation.
    """

    model_type = "livecart_embedder"

    def __init__(
        self,
        widths: tuple[int, ...] = (24, 64, 128, 256),
        depths: tuple[int, ...] = (0, 1, 2, 1),
        dim: int = 128,
        palette: int = 0,
        match_threshold: float = 0.5,
        **kwargs: object,
    ) -> None:
        self.widths = list(widths)
        self.depths = list(depths)
        self.dim = dim
        self.palette = palette
        self.match_threshold = match_threshold
        super().__init__(**kwargs)


class ProductEmbedder(PreTrainedModel):  # type: ignore[misc]  # transformers is untyped here
    config_class = EmbedderConfig
    base_model_prefix = "embedder"
    main_input_name = "pixel_values"
    _loss_function = None  # asked for when the network is converted; without an answer transformers warns

    def __init__(self, config: EmbedderConfig) -> None:
        super().__init__(config)
        inputs = (3, *config.widths[:-1])
        self.stages = nn.Sequential(
            *(stage(into, out, depth) for into, out, depth in zip(inputs, config.widths, config.depths, strict=True))
        )
        self.project = nn.Linear(config.widths[-1] * 5 + config.palette**3, config.dim)
        self.post_init()

    def _init_weights(self, module: nn.Module) -> None:
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def get_image_features(self, pixel_values: Tensor, **_: object) -> Tensor:
        """Unit vectors, float (n, dim), of `pixel_values` float (n, 3, side, side) in 0..1.

        Pooled over the whole picture and over its quarters: where the parts of a product sit tells it from its likes.
        """
        features = self.stages(pixel_values)
        pooled = [F.adaptive_avg_pool2d(features, 1).flatten(1), F.adaptive_max_pool2d(features, 2).flatten(1)]
        if self.config.palette:
            pooled.append(colour_histogram(pixel_values, self.config.palette).to(features.dtype))
        return F.normalize(self.project(torch.cat(pooled, dim=1)).float(), dim=-1)

    def forward(self, pixel_values: Tensor, **_: object) -> Tensor:
        return self.get_image_features(pixel_values)


def colour_histogram(pixels: Tensor, levels: int) -> Tensor:
    """Float (n, levels ** 3) with a root mean square of 1: the square roots of how much of a picture has which colour.

    `pixels`: float (n, 3, height, width) in 0..1. Each channel of a pixel counts for its two nearest levels, by nearness.
    """
    coarse = F.avg_pool2d(pixels.float(), 2).flatten(2)
    level = torch.arange(levels, dtype=coarse.dtype, device=coarse.device)[:, None]
    red, green, blue = (F.relu(1 - (coarse[:, channel, None] * (levels - 1) - level).abs()) for channel in range(3))
    pairs = (red[:, :, None] * green[:, None]).flatten(1, 2)
    shares = (pairs @ blue.transpose(1, 2)).flatten(1) / coarse.shape[2]
    return (shares * levels**3).clamp_min(1e-6).sqrt()
