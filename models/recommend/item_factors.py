"""Item-to-item weights and item vectors from a sparse viewer-by-product matrix."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.linalg import svds

from models.types import Vectors

EASE_UP_TO = 5_000  # products; the exact solution inverts a dense matrix of that side


@dataclass(frozen=True, slots=True)
class Fit:
    """How item-to-item weights are fitted."""

    ridge: float = 30.0  # EASE's lambda
    shrinkage: float = 10.0  # of item-kNN's cosine: pairs seen by few viewers count less
    neighbours: int = 100  # kept per product
    factor_dim: int = 32


def item_to_item(matrix: sparse.csr_array, fit: Fit) -> sparse.csr_array:
    """float32 (items, items): how much interest in the row's product speaks for the column's, the `neighbours` best per row.

    EASE (Steck 2019), B = I - P / diag(P) with P = (X'X + ridge I)^-1, up to `EASE_UP_TO` products, else item-kNN with shrunk cosine.
    `matrix` is float32 (viewers, items), non-negative. Negative weights are dropped: a candidate is only ever spoken for.
    """
    if matrix.shape[1] <= EASE_UP_TO:
        return strongest(sparse.csr_array(ease(matrix, fit.ridge)), fit.neighbours)
    return strongest(item_knn(matrix, fit.shrinkage), fit.neighbours)


def ease(matrix: sparse.csr_array, ridge: float) -> Vectors:
    """float32 (items, items), non-negative, zero on the diagonal. Takes 24 bytes of memory per pair of items while it inverts."""
    gram = (matrix.T @ matrix).toarray().astype(np.float64)
    gram[np.diag_indices_from(gram)] += ridge
    precision = np.linalg.inv(gram)
    weights = -precision / np.diag(precision)
    np.fill_diagonal(weights, 0.0)
    return np.asarray(np.maximum(weights, 0.0), dtype=np.float32)


def item_knn(matrix: sparse.csr_array, shrinkage: float) -> sparse.csr_array:
    """float32 (items, items): cosine of the columns, shrunk by `shrinkage`; zero on the diagonal."""
    gram = sparse.csr_array(matrix.T @ matrix)
    norms = np.sqrt(gram.diagonal())
    pairs = gram.tocoo()
    rows, columns = pairs.coords
    cosine = pairs.data / (norms[rows] * norms[columns] + shrinkage)
    off_diagonal = rows != columns
    kept = (cosine[off_diagonal].astype(np.float32), (rows[off_diagonal], columns[off_diagonal]))
    return sparse.csr_array(kept, shape=gram.shape)


def strongest(weights: sparse.csr_array, count: int) -> sparse.csr_array:
    """Each row cut to its `count` largest entries."""
    rows, columns, values = list[NDArray[np.int64]](), list[NDArray[np.int64]](), list[Vectors]()
    for row in range(weights.shape[0]):
        span = slice(weights.indptr[row], weights.indptr[row + 1])
        best = np.argsort(-weights.data[span], kind="stable")[:count]
        rows.append(np.full(len(best), row, dtype=np.int64))
        columns.append(weights.indices[span][best].astype(np.int64))
        values.append(weights.data[span][best].astype(np.float32))
    entries = (np.concatenate(values), (np.concatenate(rows), np.concatenate(columns)))
    return sparse.csr_array(sparse.coo_array(entries, shape=weights.shape))


def item_vectors(matrix: sparse.csr_array, fit: Fit, seed: int) -> Vectors:
    """float32 (items, factor_dim), L2-normalised; a product that nobody touched is a zero row.

    Right singular vectors of the matrix with rows scaled to unit length, times the square roots of the singular values. Unused
    dimensions (fewer products or viewers than `factor_dim`) are zero.
    """
    rank = min(fit.factor_dim, min(matrix.shape) - 1)
    vectors = np.zeros((matrix.shape[1], fit.factor_dim), dtype=np.float32)
    if rank < 1 or matrix.data.max(initial=0.0) < 1e-12:
        return vectors
    lengths = np.sqrt((matrix * matrix).sum(axis=1))
    scaled = sparse.diags_array(1.0 / np.maximum(lengths, 1e-12)) @ matrix
    _, values, right = svds(scaled.astype(np.float64), k=rank, rng=np.random.default_rng(seed))
    vectors[:, :rank] = right.T * np.sqrt(np.maximum(values, 0.0))
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.where(norms > 1e-6, vectors / np.maximum(norms, 1e-12), 0.0).astype(np.float32)
