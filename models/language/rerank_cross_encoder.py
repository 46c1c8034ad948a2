"""Any cross-encoder of transformers as a re-ranker, such as BAAI/bge-reranker-v2-m3."""

from collections.abc import Sequence
from pathlib import Path
from typing import Self

import numpy as np
import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer, PreTrainedModel
from transformers.tokenization_utils_base import PreTrainedTokenizerBase

from models.types import ArtifactError, Passage, Vectors

_MAX_TOKENS = 512


class CrossEncoder:
    """Question and passage read together; one logit, of which the sigmoid is the relevance."""

    def __init__(self, model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> None:
        """`model`: a sequence classifier with one or two labels, in evaluation mode."""
        self._model = model
        self._tokenizer = tokenizer

    @classmethod
    def load(cls, location: str | Path) -> Self:
        """A folder in hub format or a hub id. Raises ArtifactError when it cannot be loaded or classifies into more than two."""
        try:
            tokenizer = AutoTokenizer.from_pretrained(str(location))
            model = AutoModelForSequenceClassification.from_pretrained(str(location)).eval()
        except (OSError, ValueError) as error:
            raise ArtifactError(f"{location} cannot be loaded as a cross-encoder ({error}); correct the setting `reranker`") from error
        if model.config.num_labels > 2:
            raise ArtifactError(f"{location} has {model.config.num_labels} labels, a re-ranker has one (or two: no, yes)")
        return cls(model, tokenizer)

    def relevance(self, question: str, passages: Sequence[Passage]) -> Vectors:
        """float32 (len(passages),), 0..1."""
        if not passages:
            return np.zeros(0, np.float32)
        told = [f"{passage.question}\n{passage.answer or passage.text}" if passage.question else passage.text for passage in passages]
        pairs = self._tokenizer(
            [question] * len(told), told, padding=True, truncation="longest_first", max_length=_MAX_TOKENS, return_tensors="pt"
        )
        with torch.inference_mode():
            logits = self._model(**pairs).logits.float()
        yes = logits[:, 0].sigmoid() if logits.shape[1] == 1 else logits.softmax(dim=1)[:, 1]
        return np.asarray(yes.numpy(), dtype=np.float32)
