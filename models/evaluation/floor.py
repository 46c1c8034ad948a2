"""The floors that a learned embedder has to beat: a colour histogram, alone and beside oriented gradients (Dalal and Triggs, 2005)."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from models.types import Vectors

SIDE_PX = 64
CELL_PX = 8
ORIENTATIONS = 9
COLOURS = 4  # levels per channel


def colours(picture: Image.Image) -> Vectors:
    """float32 (64,), L2-normalised: the histogram of a picture's colours, four levels a channel."""
    return _unit(_colours(_pixels(picture))).astype(np.float32)


def colour_and_gradients(picture: Image.Image) -> Vectors:
    """float32 (640,), L2-normalised, of an RGB picture: 64 colours and 8 x 8 cells of 9 orientations, both halves weighing the same."""
    pixels = _pixels(picture)
    halves = (_unit(_colours(pixels)), _unit(_gradients(pixels.mean(axis=2))))
    return _unit(np.concatenate(halves)).astype(np.float32)


def _pixels(picture: Image.Image) -> NDArray[np.float32]:
    return np.asarray(picture.convert("RGB").resize((SIDE_PX, SIDE_PX), Image.Resampling.BILINEAR), dtype=np.float32)


def _colours(pixels: NDArray[np.float32]) -> NDArray[np.float64]:
    levels = np.minimum(pixels // (256 // COLOURS), COLOURS - 1).astype(np.int64)
    codes = levels[..., 0] * COLOURS**2 + levels[..., 1] * COLOURS + levels[..., 2]
    return np.sqrt(np.bincount(codes.ravel(), minlength=COLOURS**3))


def _gradients(grey: NDArray[np.float32]) -> NDArray[np.float64]:
    down, right = np.gradient(grey)
    angle = (np.arctan2(down, right) % np.pi) / np.pi * ORIENTATIONS
    bins = np.minimum(angle.astype(np.int64), ORIENTATIONS - 1)
    cells = SIDE_PX // CELL_PX
    row, column = np.indices(grey.shape) // CELL_PX
    codes = (row * cells + column) * ORIENTATIONS + bins
    return np.sqrt(np.bincount(codes.ravel(), weights=np.hypot(down, right).ravel(), minlength=cells * cells * ORIENTATIONS))


def _unit(vector: NDArray[np.float64]) -> NDArray[np.float64]:
    return vector / max(float(np.linalg.norm(vector)), 1e-9)
