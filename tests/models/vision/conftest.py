"""Tiny networks with random weights, saved as real ones are, and pictures to run them on."""

from pathlib import Path
from random import Random

import pytest

from models.demo.pictures import draw_frame, random_look
from models.vision.detector import ProductDetector
from tests.models.vision.checkpoints import save_tiny_detector, save_tiny_embedder


@pytest.fixture(scope="session")
def tiny_detector(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("detector")
    save_tiny_detector(out)
    return out


@pytest.fixture(scope="session")
def tiny_embedder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("embedder")
    save_tiny_embedder(out)
    return out


@pytest.fixture(scope="session")
def products(tiny_detector: Path, tiny_embedder: Path) -> ProductDetector:
    """A random network sees products everywhere: `min_score` 0 makes it say so."""
    return ProductDetector.load(tiny_detector, tiny_embedder, min_score=0.0, max_detections=6)


@pytest.fixture(scope="session")
def frames() -> list[bytes]:
    return [draw_frame([random_look(Random(seed))], seed=seed, size=(96 + 32 * seed, 128))[0] for seed in range(4)]
