"""Any sequence classifier of transformers is a re-ranker."""

from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import BertConfig, BertForSequenceClassification, BertTokenizerFast

from models.language.rerank import load_reranker
from models.types import ArtifactError, Passage

PASSAGES = [Passage("a", "document", "red shoes", 0.1), Passage("b", "qa", "yes", 0.2, None, "is it red?", "yes")]


def checkpoint(folder: Path, labels: int) -> Path:
    """A tiny classifier with random weights, as a hub would hold it."""
    torch.manual_seed(0)
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "is", "it", "red", "shoes", "yes", "?"]
    (folder / "vocab.txt").write_text("\n".join(words), encoding="utf-8")
    BertTokenizerFast(str(folder / "vocab.txt")).save_pretrained(folder)
    config = BertConfig(
        vocab_size=len(words), hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16, num_labels=labels
    )
    BertForSequenceClassification(config).save_pretrained(folder)
    return folder


@pytest.mark.parametrize("labels", [1, 2])
def test_a_cross_encoder_gives_a_probability_for_each_passage_by_itself(tmp_path: Path, labels: int) -> None:
    ranker = load_reranker(checkpoint(tmp_path, labels))
    both = ranker.relevance("is it red?", PASSAGES)
    assert both.dtype == np.float32
    assert ((both > 0) & (both < 1)).all()
    alone = [ranker.relevance("is it red?", [passage])[0] for passage in PASSAGES]
    np.testing.assert_allclose(both, np.array(alone), atol=1e-5)
    assert ranker.relevance("is it red?", []).shape == (0,)


def test_a_classifier_of_many_labels_and_a_folder_without_one_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="7 labels"):
        load_reranker(checkpoint(tmp_path, 7))
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(ArtifactError, match="cross-encoder"):
        load_reranker(empty)
