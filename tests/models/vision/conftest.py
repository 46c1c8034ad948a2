"""Tiny networks with random weights, saved as real ones are, and pictures to run them on."""

from pathlib import Path
from random import Random

import pytest
import torch

from models.demo.pictures import draw_frame, random_look
from models.training.loop import save_network
from models.vision.architecture import DenseDetector, DenseDetectorConfig
from models.vision.detector import ProductDetector
from models.vision.embedder import EmbedderConfig, ProductEmbedder


@pytest.fixture(scope="session")
def tiny_detector(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    out = tmp_path_factory.mktemp("detector")
    config = DenseDetectorConfig(widths=(8, 8, 16, 16), depths=(0, 1, 0, 0), neck=8, num_queries=30, id2label={0: "food", 1: "toys"})
    save_network(DenseDetector(config), out, side_px=64)
    return out


@pytest.fixture(scope="session")
def tiny_embedder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(1)
    out = tmp_path_factory.mktemp("embedder")
    save_network(ProductEmbedder(EmbedderConfig(widths=(8, 8, 8, 8), depths=(0, 0, 0, 0), dim=16, match_threshold=0.42)), out, side_px=32)
    return out


@pytest.fixture(scope="session")
def products(tiny_detector: Path, tiny_embedder: Path) -> ProductDetector:
    """A random network sees products everywhere: `min_score` 0 makes it say so."""
    return ProductDetector.load(tiny_detector, tiny_embedder, min_score=0.0, max_detections=6)


@pytest.fixture(scope="session")
def frames() -> list[bytes]:
    return [draw_frame([random_look(Random(seed))], seed=seed, size=(96 + 32 * seed, 128))[0] for seed in range(4)]
