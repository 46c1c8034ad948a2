"""Photographs for the embedder's training: read by listing, split without overlap, cropped without leaving the picture."""

from pathlib import Path
from random import Random

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from models.evaluation.datasets.labelled import DatasetError
from models.training.photographs import KEPT_SIDE_PX, PhotographStream, photograph_crop, read_album, whole


def test_an_album_groups_a_listing_by_product(listing: Path) -> None:
    album = read_album(listing)
    assert album.products == tuple(f"product-{index}" for index in range(5))
    assert {len(pictures) for pictures in album.pictures} == {5}
    assert album.pictures[0][0].size == (KEPT_SIDE_PX, KEPT_SIDE_PX)


@pytest.mark.parametrize("share", [0.01, 0.2, 0.5, 0.99])
def test_a_split_album_has_every_photograph_once_and_every_product_twice(listing: Path, share: float) -> None:
    album = read_album(listing)
    first, second = album.split(share)
    assert min(map(len, (*first.pictures, *second.pictures))) >= 1
    for whole_product, one, other in zip(album.pictures, first.pictures, second.pictures, strict=True):
        assert one + other == whole_product


@pytest.mark.parametrize(
    "text", ["", "path,product_id\n", "path,product_id\nabsent.jpg,a\n", "path,product_id\nlist.csv,a\n", "file,label\na.jpg,a\n"]
)
def test_an_unusable_listing_says_so(tmp_path: Path, text: str) -> None:
    (tmp_path / "list.csv").write_text(text, encoding="utf-8")
    with pytest.raises(DatasetError, match=r"list\.csv"):
        read_album(tmp_path / "list.csv")


def test_a_stream_shows_only_the_products_it_may(listing: Path) -> None:
    stream = PhotographStream(read_album(listing), [1, 3, 4], seed=0, side_px=32, groups=8, views=2)
    crops, products = next(iter(stream))
    assert crops.shape == (3, 2, 3, 32, 32)
    assert sorted(products.tolist()) == [1, 3, 4]


def test_the_same_seed_shows_the_same_crops(listing: Path) -> None:
    streams = [PhotographStream(read_album(listing), range(5), seed=3, side_px=32, groups=2, views=2) for _ in range(2)]
    (one, products), (other, again) = (next(iter(stream)) for stream in streams)
    assert torch.equal(one, other)
    assert torch.equal(products, again)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 10_000), side_px=st.sampled_from((16, 33, 64)))
def test_every_crop_fills_the_input(picture: Image.Image, seed: int, side_px: int) -> None:
    crop = photograph_crop(picture, Random(seed), side_px)
    assert crop.shape == whole(picture, side_px).shape == (3, side_px, side_px)
    assert crop.dtype == torch.uint8
