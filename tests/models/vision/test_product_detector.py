"""The detector's contract: boxes inside the frame, batch equals single, a bad picture harms no other, any DETR-like checkpoint."""

import io
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from transformers import DetrConfig, DetrForObjectDetection, ResNetConfig

from models.artifacts import write_manifest
from models.types import ArtifactError, FrameDetections, ModelInputError
from models.vision.detector import ProductDetector
from models.vision.runtime import Compute
from tests.models.vision.checkpoints import LABELS, save_tiny_d_fine, save_tiny_rt_detr


def save_tiny_detr(folder: Path) -> None:
    """One whose input keeps the aspect ratio."""
    backbone = ResNetConfig(embedding_size=8, hidden_sizes=[8, 8, 8, 8], depths=[1, 1, 1, 1], layer_type="basic", out_features=["stage4"])
    config = DetrConfig(
        use_timm_backbone=False, use_pretrained_backbone=False, backbone=None, backbone_config=backbone, num_queries=7, d_model=16,
        encoder_layers=1, decoder_layers=1, encoder_ffn_dim=16, decoder_ffn_dim=16, encoder_attention_heads=2,
        decoder_attention_heads=2, id2label=dict(enumerate(LABELS)), label2id={name: index for index, name in enumerate(LABELS)},
    )  # fmt: skip
    DetrForObjectDetection(config).save_pretrained(folder)
    settings_of = {"image_processor_type": "DetrImageProcessor", "size": {"shortest_edge": 64, "longest_edge": 128}, "do_pad": True}
    (folder / "preprocessor_config.json").write_text(json.dumps(settings_of), encoding="utf-8")


def detections(result: FrameDetections | ModelInputError) -> FrameDetections:
    assert isinstance(result, FrameDetections)
    return result


def assert_close(one: FrameDetections, other: FrameDetections) -> None:
    assert (one.width, one.height, len(one.detections)) == (other.width, other.height, len(other.detections))
    for a, b in zip(one.detections, other.detections, strict=True):
        assert np.allclose(a.box, b.box, atol=1e-2)
        assert abs(a.score - b.score) < 1e-4
        assert np.allclose(a.embedding, b.embedding, atol=1e-4)


def test_detections_are_boxes_of_the_frame_best_first_with_unit_vectors(products: ProductDetector, frames: list[bytes]) -> None:
    for frame in frames:
        result = detections(products.detect([frame])[0])
        assert 0 < len(result.detections) <= 6
        scores = [each.score for each in result.detections]
        assert scores == sorted(scores, reverse=True)
        for each in result.detections:
            x1, y1, x2, y2 = each.box
            assert 0 <= x1 < x2 <= result.width
            assert 0 <= y1 < y2 <= result.height
            assert each.category == products.categories[each.category_index]
            assert each.embedding.shape == (products.embedding_dim,)
            assert each.embedding.dtype == np.float32
            assert np.isclose(np.linalg.norm(each.embedding), 1, atol=1e-5)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(order=st.lists(st.integers(0, 3), min_size=1, max_size=11))
def test_a_batch_says_what_single_frames_say(products: ProductDetector, frames: list[bytes], order: list[int]) -> None:
    together = products.detect([frames[index] for index in order])
    for index, result in zip(order, together, strict=True):
        assert_close(detections(result), detections(products.detect([frames[index]])[0]))


def test_each_frame_may_have_its_own_limit(
    tiny_detector: Path, tiny_embedder: Path, products: ProductDetector, frames: list[bytes]
) -> None:
    everything = detections(products.detect([frames[1]])[0])
    middle = everything.detections[2].score
    strict = ProductDetector.load(tiny_detector, tiny_embedder, min_score=0.999, max_detections=6)
    own, lower, lowest, bad, high = strict.detect([frames[1], frames[1], frames[1], b"", frames[1]], [None, middle, 0.0, 0.0, 1.0])
    assert detections(own).detections == detections(high).detections == ()
    assert [each.score >= middle for each in everything.detections] == [True] * len(detections(lower).detections) + [False] * (
        6 - len(detections(lower).detections)
    )
    assert_close(detections(lowest), everything)
    assert isinstance(bad, ModelInputError)


def test_a_bad_picture_yields_its_error_and_harms_no_other(products: ProductDetector, frames: list[bytes]) -> None:
    results = products.detect([frames[0], b"", b"no picture", frames[1]])
    assert [type(result) for result in results] == [FrameDetections, ModelInputError, ModelInputError, FrameDetections]
    assert [result.kind for result in results if isinstance(result, ModelInputError)] == ["invalid", "unsupported"]
    assert_close(detections(results[3]), detections(products.detect([frames[1]])[0]))


def test_nothing_in_nothing_out(products: ProductDetector) -> None:
    assert products.detect([]) == []
    assert products.embed([]) == []


def test_a_frame_without_products_has_no_detections(tiny_detector: Path, tiny_embedder: Path, frames: list[bytes]) -> None:
    strict = ProductDetector.load(tiny_detector, tiny_embedder, min_score=0.999)
    assert detections(strict.detect([frames[0]])[0]).detections == ()
    vectors = strict.embed([frames[0]])[0]
    assert not isinstance(vectors, ModelInputError)
    assert vectors.shape == (1, 16)


def test_enrolment_gives_unit_vectors_per_picture(products: ProductDetector, frames: list[bytes]) -> None:
    results = products.embed([frames[0], b"garbage", frames[2]])
    assert isinstance(results[1], ModelInputError)
    for vectors in (results[0], results[2]):
        assert not isinstance(vectors, ModelInputError)
        assert vectors.shape[1] == products.embedding_dim
        assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_boxes_follow_the_exif_orientation(products: ProductDetector, frames: list[bytes]) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    buffer = io.BytesIO()
    Image.open(io.BytesIO(frames[3])).save(buffer, "JPEG", exif=exif)
    result = detections(products.detect([buffer.getvalue()])[0])
    assert (result.width, result.height) == (128, 192)


def test_a_one_pixel_picture_is_served(products: ProductDetector) -> None:
    buffer = io.BytesIO()
    Image.new("RGB", (1, 1)).save(buffer, "PNG")
    assert detections(products.detect([buffer.getvalue()])[0]).width == 1


def test_the_match_threshold_comes_from_the_embedder(products: ProductDetector) -> None:
    assert products.match_threshold == 0.42
    products.warm_up()


@pytest.mark.parametrize("save", [save_tiny_rt_detr, save_tiny_d_fine, save_tiny_detr])
def test_checkpoints_of_the_detr_family_run_through_the_same_class(
    save: Callable[[Path], None], tiny_embedder: Path, tmp_path: Path, frames: list[bytes]
) -> None:
    save(tmp_path)
    on_torch = Compute(runtime="torch")  # what converts is tested in test_runtime.py
    products = ProductDetector.load(tmp_path, tiny_embedder, min_score=0.0, max_detections=5, compute=on_torch)
    for result in products.detect(frames):
        assert 0 < len(detections(result).detections) <= 5
    assert products.categories == LABELS


def test_a_manifest_is_verified(tiny_detector: Path, tiny_embedder: Path, tmp_path: Path) -> None:
    for file in tiny_embedder.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    write_manifest(tmp_path, kind="embedder", schema=1, command="livecart train embedder", seed=0, data={}, metrics={})
    assert ProductDetector.load(tiny_detector, tmp_path).embedding_dim == 16
    (tmp_path / "config.json").write_text("{}", encoding="utf-8")
    with pytest.raises(ArtifactError, match=r"config\.json"):
        ProductDetector.load(tiny_detector, tmp_path)


def test_a_missing_folder_is_an_artifact_error(tiny_embedder: Path, tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="absent"):
        ProductDetector.load(tmp_path / "absent", tiny_embedder)
