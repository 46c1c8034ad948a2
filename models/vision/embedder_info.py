"""What others must know of an embedder without loading its weights."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from models.types import ArtifactError

DEFAULT_MATCH_THRESHOLD = 0.5  # cosine, for embedders that name none


@dataclass(frozen=True, slots=True)
class EmbedderInfo:
    dim: int  # width of its vectors
    tag: str  # which embedder made a vector: the digest of the weights for a local folder, the name for a hub id
    match_threshold: float  # cosine above which two vectors show the same product


def embedder_info(embedder: str) -> EmbedderInfo:
    """Read a local folder's `config.json`, or a hub id's configuration.

    A folder without weights describes an embedder that is served elsewhere; its tag is the digest of the configuration.
    """
    folder = Path(embedder)
    if folder.is_dir():
        weights = folder / "model.safetensors"
        written = (folder / "config.json").read_bytes()
        return _described(json.loads(written), hashlib.sha256(weights.read_bytes() if weights.exists() else written).hexdigest()[:16])
    from transformers import AutoConfig  # noqa: PLC0415 - seconds to import, and only hub ids need it

    return _described(AutoConfig.from_pretrained(embedder).to_dict(), embedder)


def _described(config: dict[str, object], tag: str) -> EmbedderInfo:
    threshold = config.get("match_threshold")
    return EmbedderInfo(_dim(config), tag, float(threshold) if isinstance(threshold, int | float) else DEFAULT_MATCH_THRESHOLD)


def _dim(config: dict[str, object]) -> int:
    """Ours say `dim`, CLIP and SigLIP class models `projection_dim`, plain backbones `hidden_size`."""
    for name in ("dim", "projection_dim", "hidden_size"):
        named = config.get(name)
        if isinstance(named, int):
            return named
    raise ArtifactError("the embedder's configuration names no `dim`, `projection_dim` or `hidden_size`")
