"""Invented questions: the same with the same seed, answerable where they say so."""

import json

from models.evaluation.held_out_questions import held_out_questions


def test_the_same_seed_gives_the_same_questions() -> None:
    assert held_out_questions(count=40, seed=3) == held_out_questions(count=40, seed=3)
    assert held_out_questions(count=40, seed=3) != held_out_questions(count=40, seed=4)


def test_what_is_accepted_is_known_and_what_is_not_known_is_not_accepted() -> None:
    rows = held_out_questions(count=300, seed=0)
    assert {row["language"] for row in rows} == {"zh", "en"}
    assert {row["kind"] for row in rows} >= {"price", "stock", "spec", "fact", "policy", "absent", "price_near"}
    for row in rows:
        known = json.dumps([row.get("product"), row.get("facts")], ensure_ascii=False)
        accept = row["accept"]
        assert isinstance(accept, list)
        assert (row["answer"] is None) == (not accept)
        if row["kind"] in ("spec", "fact", "policy", "free"):
            assert all(str(text) in known for text in accept)
