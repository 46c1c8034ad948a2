"""N-grams of comments: the same alone and in a batch, unit rows, and nothing of what a classifier does not know."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from models.language.comment_ngrams import CommentNgrams, frequent_columns, ngrams

TEXTS = ["这个多少钱？", "how much is it", "多少钱啊 99", "how big is this", "é à quel prix", "😍😍😍"]
KNOWN = CommentNgrams(frequent_columns(TEXTS, longest=3, least_texts=1))


@given(texts=st.lists(st.one_of(st.sampled_from(TEXTS), st.text(max_size=30)), min_size=1, max_size=5))
def test_a_batch_equals_its_singles_and_rows_are_units_or_zero(texts: list[str]) -> None:
    batch = KNOWN(texts)
    norms = np.sqrt(np.asarray(batch.multiply(batch).sum(axis=1)).ravel())
    assert all(norm == 0 or abs(norm - 1) < 1e-5 for norm in norms)
    for row, text in enumerate(texts):
        np.testing.assert_allclose(batch[row].toarray(), KNOWN([text]).toarray(), atol=1e-6)


def test_no_text_is_no_row() -> None:
    assert KNOWN([]).shape == (0, KNOWN([""]).shape[1])


def test_wide_letters_case_and_long_repeats_do_not_matter() -> None:
    assert ngrams("ＨＯＷ？？？？") == ngrams("how??")


def test_numbers_are_told_by_their_digits_alone() -> None:
    assert ngrams("99元") == ngrams("12元") != ngrams("199元")


def test_only_n_grams_of_enough_texts_are_kept() -> None:
    both = frequent_columns(["多少", "多大"], longest=1, least_texts=2)
    assert len(both) == 1
    assert CommentNgrams(both)(["多", "少"]).toarray().tolist() == [[1.0], [0.0]]
