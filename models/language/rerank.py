"""The second look at what retrieval found: does this passage answer this question?"""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from models.artifacts import MANIFEST
from models.types import Passage, Vectors


class Reranker(Protocol):
    """Judges few passages slowly where retrieval judges all of them fast."""

    def relevance(self, question: str, passages: Sequence[Passage]) -> Vectors:
        """float32 (len(passages),), 0..1: how probably each passage answers the question. Each is judged by itself.

        The passages carry the cosine that retrieval found (`score`).
        """
        ...


def load_reranker(location: str | Path) -> Reranker:
    """A folder or URL of what `livecart train reranker` wrote, or a folder or hub id of any transformers cross-encoder.

    Raises ArtifactError for a folder that is damaged, of another kind, or no cross-encoder.
    """
    if "://" in str(location) or (Path(location).expanduser() / MANIFEST).is_file():
        from models.language.rerank_evidence import EvidenceRanker  # noqa: PLC0415  # each brings what only it needs

        return EvidenceRanker.load(location)
    from models.language.rerank_cross_encoder import CrossEncoder  # noqa: PLC0415  # torch and transformers

    return CrossEncoder.load(location)
