"""From tensors to the platform's own ports and back, one function a model."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TypeVar

import numpy as np

from deployments.ingress.frames import checked_picture
from deployments.ingress.oip.table import MAX_DETECTIONS, MAX_NEIGHBOURS
from deployments.ingress.oip.tensors import Tensor, bytes_tensor
from deployments.ports import Ports
from graphs.errors import InvalidRequest, LivecartError, PayloadTooLarge, UnsupportedMedia
from models.types import FrameDetections, Match, Vectors

Tensors = Mapping[str, Tensor]
Adapter = Callable[[Ports, Tensors], Awaitable[Tensors]]
T = TypeVar("T")

NO_NEIGHBOUR = -1.0  # similarity in places for which there is no product; their id is empty


async def detector(ports: Ports, inputs: Tensors) -> Tensors:
    """The best 100 products of each picture, best first, padded with zeros; `categories` are indices into the configuration's list."""
    pictures = _pictures(inputs["image"])
    found = await _all_of([ports.detector.detect(picture) for picture in pictures])
    boxes = np.zeros((len(found), MAX_DETECTIONS, 4), dtype=np.float32)
    scores = np.zeros((len(found), MAX_DETECTIONS), dtype=np.float32)
    categories = np.zeros((len(found), MAX_DETECTIONS), dtype=np.int64)
    for row, seen in enumerate(found):
        _fill(seen, boxes[row], scores[row], categories[row])
    count = np.array([min(len(seen.detections), MAX_DETECTIONS) for seen in found], dtype=np.int64)
    return _by_name(
        Tensor("boxes", "FP32", boxes),
        Tensor("scores", "FP32", scores),
        Tensor("categories", "INT64", categories),
        Tensor("count", "INT64", count),
    )


def _fill(seen: FrameDetections, boxes: Vectors, scores: Vectors, categories: "np.ndarray[tuple[int, ...], np.dtype[np.int64]]") -> None:
    for place, detection in enumerate(seen.detections[:MAX_DETECTIONS]):
        boxes[place], scores[place], categories[place] = detection.box, detection.score, detection.category_index


async def embedder(ports: Ports, inputs: Tensors) -> Tensors:
    """The vector of each picture's main product, or of the whole picture where none is found; L2-normalised."""
    pictures = _pictures(inputs["image"])
    embedded = await ports.embedder.embed(pictures) if pictures else []
    vectors = np.zeros((len(embedded), ports.tensors.embedding_dim), dtype=np.float32)
    for row, each in enumerate(embedded):
        vectors[row] = each.vectors[0]
    return _by_name(Tensor("embedding", "FP32", vectors))


async def retriever(ports: Ports, inputs: Tensors) -> Tensors:
    """The `k` enrolled products nearest to each embedding, of whatever length it is, by cosine."""
    k = int(inputs["k"].values[0])
    if not 1 <= k <= MAX_NEIGHBOURS:
        raise InvalidRequest(f"`k` must be from 1 to {MAX_NEIGHBOURS}, not {k}", param="k")
    queries = _normalised(inputs["embedding"].as_float32())
    found = await ports.pictures.match(queries, among=None, top_k=k) if len(queries) else []
    ids, similarities = _padded(found, k)
    return _by_name(bytes_tensor("ids", ids, (len(found), k)), Tensor("similarities", "FP32", similarities))


def _normalised(vectors: Vectors) -> Vectors:
    if not np.isfinite(vectors).all():
        raise InvalidRequest("`embedding` has NaN or infinity", param="embedding")
    lengths = np.linalg.norm(vectors.astype(np.float64), axis=1, keepdims=True)
    if not lengths.all():
        raise InvalidRequest("`embedding` has a row of zeros, which is near to nothing", param="embedding")
    unit: Vectors = np.divide(vectors, lengths).astype(np.float32)
    return unit


def _padded(found: Sequence[Sequence[Match]], k: int) -> tuple[list[bytes], Vectors]:
    similarities = np.full((len(found), k), NO_NEIGHBOUR, dtype=np.float32)
    ids = [b""] * (len(found) * k)
    for row, matches in enumerate(found):
        for place, match in enumerate(matches[:k]):
            ids[row * k + place] = match.product_id.encode("utf-8")
            similarities[row, place] = match.similarity
    return ids, similarities


async def ranker(ports: Ports, inputs: Tensors) -> Tensors:
    """P(click), P(cart), P(purchase) of each row of features."""
    rows = inputs["features"].as_float32()
    scores = await ports.tensors.score(rows) if len(rows) else np.zeros((0, 3), dtype=np.float32)
    return _by_name(Tensor("scores", "FP32", scores))


async def identity(_ports: Ports, inputs: Tensors) -> Tensors:
    given = inputs["INPUT0"]
    return _by_name(Tensor("OUTPUT0", given.datatype, given.values))


ADAPTERS: Mapping[str, Adapter] = {
    "detector": detector,
    "embedder": embedder,
    "retriever": retriever,
    "ranker": ranker,
    "identity": identity,
}


def picture_of(image: Tensor) -> bytes:
    """The only picture of an `image` tensor. Raises InvalidRequest or UnsupportedMedia."""
    return _pictures(image)[0]


def _pictures(image: Tensor) -> list[bytes]:
    pictures = image.as_bytes()
    for row, picture in enumerate(pictures):
        try:
            checked_picture(picture, param="image")
        except (InvalidRequest, UnsupportedMedia) as error:
            raise _of_row(row, error) from None
    return pictures


def _of_row(row: int, error: LivecartError) -> LivecartError:
    return type(error)(f"image[{row}]: {error.message}", param="image")


async def _all_of(calls: Sequence[Awaitable[T]]) -> list[T]:
    """All results, in order; the first failure when there is one, which names the row that is at fault."""
    results: list[T] = []
    for row, result in enumerate(await asyncio.gather(*calls, return_exceptions=True)):
        if isinstance(result, (InvalidRequest, PayloadTooLarge, UnsupportedMedia)):
            raise _of_row(row, result)
        if isinstance(result, BaseException):
            raise result
        results.append(result)
    return results


def _by_name(*tensors: Tensor) -> Tensors:
    return {tensor.name: tensor for tensor in tensors}
