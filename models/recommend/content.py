"""Items that share attributes: the source for what nobody had yet."""

from collections.abc import Sequence

import numpy as np
from scipy import sparse

from models.interactions.log import Interactions
from models.recommend.scoring import History, Scores, votes_of


class AttributeScorer:
    """Cosine between the rare attributes of an item and those of the history's items; zero where the data states no attributes."""

    def fit(self, log: Interactions) -> None:
        names: dict[str, int] = {}
        pairs = [
            (place, names.setdefault(name, len(names))) for place, item in enumerate(log.items) for name in log.attributes.get(item, ())
        ]
        places = np.array(pairs, dtype=np.int64).reshape(-1, 2)
        shape = (len(log.items), max(1, len(names)))
        stated = sparse.csr_array(sparse.coo_array((np.ones(len(places), np.float32), (places[:, 0], places[:, 1])), shape=shape))
        stated.data[:] = 1.0
        rarity = np.log(1.0 + len(log.items) / np.maximum(stated.sum(axis=0), 1.0))
        weighed = sparse.csr_array(stated @ sparse.diags_array(rarity))
        lengths = np.sqrt((weighed * weighed).sum(axis=1))
        self._attributes = sparse.csr_array(sparse.diags_array(1.0 / np.maximum(lengths, 1e-9)) @ weighed).astype(np.float32)

    def scores(self, histories: Sequence[History]) -> Scores:
        wanted = votes_of(histories, self._attributes.shape[0]) @ self._attributes
        return np.asarray((wanted @ self._attributes.T).toarray(), dtype=np.float32)
