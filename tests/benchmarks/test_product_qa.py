"""The data set's files become what `livecart` reads, and what is judged is not learnt from."""

from benchmarks.product_qa import pairs_of, questions_of

JUDGED = [
    {"qid": "1", "question": "how big", "candidate": "12 cm", "label": "1"},
    {"qid": "1", "question": "how big", "candidate": "red", "label": "0"},
    {"qid": "2", "question": "is it warm", "candidate": "red", "label": "0"},
]


def test_candidates_of_a_question_are_gathered() -> None:
    assert questions_of(JUDGED) == [
        {"question": "how big", "candidates": ["12 cm", "red"], "relevant": [0]},
        {"question": "is it warm", "candidates": ["red"], "relevant": []},
    ]


def test_questions_that_are_judged_are_left_out_of_training() -> None:
    rows = [
        {"question": "how big", "candidate": "9 cm", "answer": "9 cm", "ASIN": "A"},
        {"question": "what colour", "candidate": "blue", "answer": "it is blue", "ASIN": "B"},
    ]
    assert pairs_of(rows, JUDGED) == [{"question": "what colour", "evidence": "blue", "answer": "it is blue", "product": "B"}]
