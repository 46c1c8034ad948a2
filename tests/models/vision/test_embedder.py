"""The embedder's contract: unit vectors, the same alone and in a batch; the colour histogram keeps its laws."""

import torch
from hypothesis import given
from hypothesis import strategies as st

from models.vision.embedder import EmbedderConfig, ProductEmbedder, colour_histogram

LEVELS = 4


def embedder(palette: int) -> ProductEmbedder:
    torch.manual_seed(0)
    made: ProductEmbedder = ProductEmbedder(EmbedderConfig(widths=(8, 8, 8, 8), depths=(0, 0, 0, 0), dim=16, palette=palette)).eval()
    return made


def pictures(seed: int) -> torch.Tensor:
    return torch.rand(3, 3, 32, 32, generator=torch.Generator().manual_seed(seed))


@torch.inference_mode()
def test_vectors_have_length_one_and_do_not_depend_on_the_batch() -> None:
    for palette in (0, LEVELS):
        together = embedder(palette)(pictures(0))
        assert torch.allclose(together.norm(dim=1), torch.ones(3), atol=1e-5)
        assert torch.allclose(together[1:2], embedder(palette)(pictures(0)[1:2]), atol=1e-5)


@given(st.integers(0, 10_000))
def test_the_histogram_shares_out_all_pixels_wherever_they_are(seed: int) -> None:
    histogram = colour_histogram(pictures(seed), LEVELS)
    assert histogram.shape == (3, LEVELS**3)
    assert torch.allclose(histogram.square().mean(dim=1), torch.ones(3), atol=1e-3)
    assert torch.allclose(histogram, colour_histogram(pictures(seed).flip(2, 3), LEVELS), atol=1e-4)


def test_a_colour_has_its_own_place() -> None:
    plain = torch.zeros(1, 3, 8, 8)
    plain[:, 0] = 1.0
    assert colour_histogram(plain, LEVELS).argmax().item() == (LEVELS - 1) * LEVELS**2
