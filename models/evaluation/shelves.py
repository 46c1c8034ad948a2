"""The arithmetic of recognition: which rank a product gets on a shelf, and what happens to products that are on none.

Similarities are float32 (queries, pictures); `owners` int64 (pictures,) and `truth` int64 (queries,) number products from 0.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import label_ranking_average_precision_score, roc_curve

from models.types import Vectors

Numbers = NDArray[np.int64]
DRAWS = 20  # times that the products are dealt to shelves anew
FALSE_ACCEPTS = (0.01, 0.05, 0.10)


@dataclass(frozen=True, slots=True)
class Threshold:
    """The cosine from which two pictures are taken to show the same product, and what that choice costs."""

    value: float
    true_accepts: float  # share of the same-product pairs at or above it
    false_accepts: float  # share of the strangers at or above it


@dataclass(frozen=True, slots=True)
class Shelf:
    products: Numbers  # all that stand on it
    asked: Numbers  # those whose pictures are sought on it; the others fill it up


@dataclass(frozen=True, slots=True)
class Seen:
    """How alike queries and enrolled pictures are."""

    similarity: Vectors  # float32 (queries, pictures)
    owners: Numbers  # (pictures,)
    truth: Numbers  # (queries,); a product that owns no picture is not enrolled

    @property
    def products(self) -> Numbers:
        """Those that are enrolled, ascending."""
        return np.unique(self.owners)


def choose_threshold(same: NDArray[np.float64], strangers: NDArray[np.float64]) -> Threshold:
    """The value that maximises true minus false accepts (Youden's index), in the middle of the gap where there is one.

    >>> choose_threshold(np.asarray([0.8, 0.9]), np.asarray([0.1, 0.2])).value
    0.5
    """
    values = np.unique(np.concatenate((same, strangers)))
    candidates = (values[1:] + values[:-1]) / 2 if len(values) > 1 else values
    true = np.asarray([(same >= value).mean() for value in candidates])
    false = np.asarray([(strangers >= value).mean() for value in candidates])
    best = int(np.argmax(true - false))
    return Threshold(float(candidates[best]), float(true[best]), float(false[best]))


def product_similarity(similarity: Vectors, owners: Sequence[int] | Numbers) -> tuple[Vectors, Numbers]:
    """float32 (queries, products), each the best of the product's pictures, and the products int64 (products,) ascending."""
    order = np.argsort(owners, kind="stable")
    products, starts = np.unique(np.asarray(owners)[order], return_index=True)
    best: Vectors = np.maximum.reduceat(similarity[:, order], starts, axis=1)
    return best, products.astype(np.int64)


def ranks(best: Vectors, own: Numbers) -> Numbers:
    """1 for the best: rank of column `own` (n,) in each row of `best` (n, products). A tie goes to the other product.

    >>> ranks(np.asarray([[0.9, 0.5], [0.2, 0.2]], dtype=np.float32), np.asarray([0, 0])).tolist()
    [1, 2]
    """
    mine = np.take_along_axis(best, own[:, None], axis=1)
    rank: Numbers = (best >= mine).sum(axis=1).astype(np.int64)
    return rank


def rank_one(queries: Vectors, owners: Sequence[int], gallery: Vectors, gallery_owners: Sequence[int]) -> float:
    """Share of the queries (n, dim) whose nearest vector of the gallery (m, dim) belongs to their own product."""
    best, products = product_similarity(queries @ gallery.T, gallery_owners)
    return float((ranks(best, np.searchsorted(products, owners)) == 1).mean())


def identification(seen: Seen, shelf_size: int, *, seed: int = 0) -> dict[str, float]:
    """`rank1`, `rank5` and `map` of the enrolled products' queries, each query on `DRAWS` random shelves that hold its product.

    Ranks are among products, each by its best picture; `map` is the mean over queries of the average precision among the shelf's
    pictures. `queries` and `shelves` say how much was averaged.
    """
    rng = np.random.default_rng(seed)
    found: list[Numbers] = []
    precisions: list[tuple[float, int]] = []
    shelves = 0
    for _ in range(DRAWS if shelf_size < len(seen.products) else 1):
        for shelf in dealt(seen.products, shelf_size, rng):
            rows = np.flatnonzero(np.isin(seen.truth, shelf.asked))
            shelves += 1
            if len(rows) == 0:
                continue
            part = _on(seen, shelf.products, rows)
            best, products = product_similarity(part.similarity, part.owners)
            found.append(ranks(best, np.searchsorted(products, part.truth)))
            relevant = part.truth[:, None] == part.owners[None, :]
            precisions.append((float(label_ranking_average_precision_score(relevant, part.similarity)), len(rows)))
    every = np.concatenate(found)
    return {
        "queries": float(np.isin(seen.truth, seen.products).sum()),
        "shelves": float(shelves),
        "rank1": float((every == 1).mean()),
        "rank5": float((every <= 5).mean()),
        "map": float(np.average([value for value, _ in precisions], weights=[count for _, count in precisions])),
    }


def unknowns(seen: Seen, shelf_size: int, *, share: float, threshold: float | None, seed: int = 0) -> dict[str, float]:
    """What happens to products that are not enrolled: in each of `DRAWS` rounds a random `share` of them is left out.

    `false_accept`: queries of unknown products that some product of a random shelf matches at the threshold. Of the enrolled products'
    queries, on shelves that hold them: `false_reject` matches nothing, `mistaken` has another product first; the rest is right.
    `false_reject_at_fa_..` is the least share of own best matches lost where at most 1, 5 and 10 % of the unknown are accepted, and
    `right_at_fa_..` the share of queries then named right.
    """
    rng = np.random.default_rng(seed + 1)
    known: list[NDArray[np.float32]] = []  # best similarity on the shelf
    right: list[NDArray[np.bool_]] = []  # whether it is the own product's
    strange: list[NDArray[np.float32]] = []
    for _ in range(DRAWS):
        left_out = rng.choice(seen.products, size=min(round(share * len(seen.products)), len(seen.products) - 1), replace=False)
        enrolled = np.setdiff1d(seen.products, left_out)
        shelves = dealt(enrolled, shelf_size, rng)
        for shelf in shelves:
            part = _on(seen, shelf.products, np.flatnonzero(np.isin(seen.truth, shelf.asked)))
            best, products = product_similarity(part.similarity, part.owners)
            known.append(best.max(axis=1, initial=-1))
            right.append(ranks(best, np.searchsorted(products, part.truth)) == 1)
        stranger_rows = np.flatnonzero(~np.isin(seen.truth, enrolled))
        for rows in np.array_split(rng.permutation(stranger_rows), len(shelves)):
            shelf = shelves[int(rng.integers(len(shelves)))]
            strange.append(_on(seen, shelf.products, rows).similarity.max(axis=1, initial=-1))
    return _open_set(np.concatenate(known), np.concatenate(right), np.concatenate(strange), threshold)


def dealt(products: Numbers, size: int, rng: np.random.Generator) -> list[Shelf]:
    """All products on random shelves of `size` (or of all): each is asked for on one; the last is filled up with some of the others."""
    mixed = rng.permutation(products)
    return [_filled(mixed[start : start + size], mixed, size, rng) for start in range(0, len(mixed), size)]


def _filled(asked: Numbers, products: Numbers, size: int, rng: np.random.Generator) -> Shelf:
    missing = min(size, len(products)) - len(asked)
    others = np.setdiff1d(products, asked)
    return Shelf(np.concatenate((asked, rng.choice(others, size=missing, replace=False))) if missing else asked, asked)


def _on(seen: Seen, products: Numbers, rows: Numbers) -> Seen:
    pictures = np.flatnonzero(np.isin(seen.owners, products))
    return Seen(seen.similarity[np.ix_(rows, pictures)], seen.owners[pictures], seen.truth[rows])


def _open_set(
    known: NDArray[np.float32], right: NDArray[np.bool_], strange: NDArray[np.float32], threshold: float | None
) -> dict[str, float]:
    result = {"known": float(len(known)), "unknown": float(len(strange))}
    if len(strange) == 0 or len(known) == 0:
        return result
    if threshold is not None:
        accepted = known >= threshold
        result |= {"false_accept": float((strange >= threshold).mean()), "false_reject": float(1 - accepted.mean())}
        result |= {"mistaken": float((accepted & ~right).mean())}
    labels = np.concatenate((np.ones(len(known)), np.zeros(len(strange))))
    false, true, cosines = roc_curve(labels, np.concatenate((known, strange)), drop_intermediate=False)
    for accepts in FALSE_ACCEPTS:
        at = int(np.flatnonzero(false <= accepts)[-1])
        result[f"false_reject_at_fa_{accepts:.2f}"] = float(1 - true[at])
        result[f"right_at_fa_{accepts:.2f}"] = float((right & (known >= cosines[at])).mean())
    return result
