"""Tiny checkpoints with random weights: of hub architectures, saved as a hub has them, and of ours, saved as trainings do."""

import json
from pathlib import Path

import torch
from torch import nn
from transformers import DFineConfig, DFineForObjectDetection, HGNetV2Config, RTDetrV2Config, RTDetrV2ForObjectDetection

from models.training.loop import save_network
from models.vision.architecture import DenseDetector, DenseDetectorConfig
from models.vision.embedder import EmbedderConfig, ProductEmbedder

LABELS = ("a cup", "a shoe")


def save_tiny_detector(folder: Path) -> None:
    torch.manual_seed(0)
    config = DenseDetectorConfig(widths=(8, 8, 16, 16), depths=(0, 1, 0, 0), neck=8, num_queries=30, id2label={0: "food", 1: "toys"})
    save_network(DenseDetector(config), folder, side_px=64)


def save_tiny_embedder(folder: Path) -> None:
    torch.manual_seed(1)
    config = EmbedderConfig(widths=(8, 8, 8, 8), depths=(0, 0, 0, 0), dim=16, match_threshold=0.42)
    save_network(ProductEmbedder(config), folder, side_px=32)


def save_tiny_rt_detr(folder: Path, labels: tuple[str, ...] = LABELS, *, side_px: int = 64) -> None:
    config = RTDetrV2Config(
        backbone_config=None, encoder_hidden_dim=16, encoder_in_channels=[8, 16, 16], encoder_ffn_dim=16, encoder_attention_heads=2,
        encoder_layers=1, d_model=16, num_queries=12, decoder_in_channels=[16, 16, 16], decoder_ffn_dim=16, decoder_attention_heads=2,
        decoder_layers=2, num_denoising=0, **_named(labels),
    )  # fmt: skip
    config.backbone_config.embedding_size = 8
    config.backbone_config.hidden_sizes = [8, 8, 16, 16]
    config.backbone_config.depths = [1, 1, 1, 1]
    config.backbone_config.layer_type = "basic"
    _save(RTDetrV2ForObjectDetection(config), folder, side_px)


def save_tiny_d_fine(folder: Path, labels: tuple[str, ...] = LABELS, *, side_px: int = 64) -> None:
    backbone = HGNetV2Config(
        stem_channels=[3, 8, 8], stage_in_channels=[8, 16, 32, 32], stage_mid_channels=[8, 8, 8, 8], stage_out_channels=[16, 32, 32, 32],
        stage_num_blocks=[1, 1, 1, 1], stage_numb_of_layers=[1, 1, 1, 1], embedding_size=8, hidden_sizes=[16, 32, 32, 32],
        depths=[1, 1, 1, 1], out_features=["stage2", "stage3", "stage4"],
    )  # fmt: skip
    config = DFineConfig(
        backbone_config=backbone, encoder_in_channels=[32, 32, 32], encoder_hidden_dim=32, encoder_ffn_dim=32, encoder_attention_heads=2,
        encoder_layers=1, d_model=32, num_queries=12, decoder_in_channels=[32, 32, 32], decoder_ffn_dim=32, decoder_attention_heads=2,
        decoder_layers=2, num_denoising=0, **_named(labels),
    )  # fmt: skip
    _save(DFineForObjectDetection(config), folder, side_px)


def _named(labels: tuple[str, ...]) -> dict[str, object]:
    return {"id2label": dict(enumerate(labels)), "label2id": {name: index for index, name in enumerate(labels)}}


def _save(model: nn.Module, folder: Path, side_px: int) -> None:
    """Weights as large as trained ones: as initialised, all queries score alike and come in any order."""
    torch.manual_seed(0)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            is_scale = weight.dim() == 1 and "norm" in name and name.endswith("weight")
            spread = 1 / weight[0].numel() ** 0.5 if weight.dim() > 1 else 0.3
            weight.copy_(torch.randn_like(weight) * spread + float(is_scale))
    model.save_pretrained(folder)  # type: ignore[operator]  # transformers is untyped here
    settings = {
        "image_processor_type": "RTDetrImageProcessor", "size": {"height": side_px, "width": side_px}, "do_resize": True,
        "do_rescale": True, "rescale_factor": 1 / 255, "do_normalize": False,
    }  # fmt: skip
    (folder / "preprocessor_config.json").write_text(json.dumps(settings), encoding="utf-8")
