"""What others must know of an embedder without loading its weights."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from models.types import ArtifactError


@dataclass(frozen=True, slots=True)
class EmbedderInfo:
    dim: int  # width of its vectors
    tag: str  # which embedder made a vector: the digest of the weights for a local folder, the name for a hub id


def embedder_info(embedder: str) -> EmbedderInfo:
    """Read a local folder's `config.json`, or a hub id's configuration."""
    folder = Path(embedder)
    if folder.is_dir():
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        return EmbedderInfo(_dim(config), hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()[:16])
    from transformers import AutoConfig  # noqa: PLC0415 - seconds to import, and only hub ids need it

    return EmbedderInfo(_dim(AutoConfig.from_pretrained(embedder).to_dict()), embedder)


def _dim(config: dict[str, object]) -> int:
    """Ours say `dim`, CLIP and SigLIP class models `projection_dim`, plain backbones `hidden_size`."""
    for name in ("dim", "projection_dim", "hidden_size"):
        named = config.get(name)
        if isinstance(named, int):
            return named
    raise ArtifactError("the embedder's configuration names no `dim`, `projection_dim` or `hidden_size`")
