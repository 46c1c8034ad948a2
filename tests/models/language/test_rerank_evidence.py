"""The shipped re-ranker judges each passage by itself, and puts what answers first in both languages."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.artifacts import read_manifest, write_manifest
from models.language.rerank import load_reranker
from models.language.rerank_evidence import KIND, SCHEMA, EvidenceRanker
from models.language.rerank_features import FEATURES, Statistics, features, parts
from models.types import ArtifactError, Passage, ProductId

ZOO = Path(__file__).parents[3] / "models" / "zoo" / "reranker"
RANKER = EvidenceRanker.load(ZOO)
BLANK = Statistics(np.ones(8, np.float32), np.ones(8, np.float32), {}, {})
TEXTS = st.text(max_size=60) | st.sampled_from(["size: 12 cm", "防水：IPX7 级", 'color:  { value:"red" }', "yes, it does"])
PASSAGES = st.builds(
    Passage,
    st.sampled_from(["d", "p#size"]),
    st.sampled_from(["spec", "qa", "document"]),
    TEXTS,
    st.floats(-1, 1, width=32),
    st.none(),
    st.none() | TEXTS,
    st.none() | TEXTS,
)


def told(*texts: str) -> list[Passage]:
    return [Passage(str(place), "document", text, 0.3) for place, text in enumerate(texts)]


@settings(deadline=None)
@given(question=TEXTS, passages=st.lists(PASSAGES, max_size=5))
def test_relevance_is_a_probability_that_does_not_depend_on_the_other_passages(question: str, passages: list[Passage]) -> None:
    together = RANKER.relevance(question, passages)
    assert together.shape == (len(passages),)
    assert together.dtype == np.float32
    assert np.isfinite(together).all()
    assert ((together >= 0) & (together <= 1)).all()
    alone = [RANKER.relevance(question, [passage])[0] for passage in passages]
    np.testing.assert_allclose(together, np.array(alone, dtype=np.float32), atol=1e-5)


@settings(deadline=None)
@given(question=TEXTS, passages=st.lists(PASSAGES, max_size=3))
def test_features_are_finite_with_empty_statistics(question: str, passages: list[Passage]) -> None:
    found = features(question, passages, BLANK)
    assert found.shape == (len(passages), len(FEATURES))
    assert np.isfinite(found).all()


@pytest.mark.parametrize(
    ("question", "passages"),
    [
        (
            "what age is it for?",
            told('age_range_description:  { value:"3+ months" }', 'color:  { value:"red" }', "batteries_included: false"),
        ),
        ("how heavy is it", told("weight: 2.4 kg", "colour: black", "material: steel")),
        ("does it need batteries?", told("batteries_required:  { value:true }", "brand:  { value:dji }", "model_year:  { value:2018 }")),
        ("这个有多重", told("重量: 420 g", "颜色: 深空黑", "保修期: 18 个月")),
        ("能用多久不用充电", told("续航: 30 小时", "颜色: 白色", "产地: 中国广东")),
        ("是什么料子的", told("材质: 纯棉", "尺码: S、M、L", "洗涤: 可机洗")),
    ],
)
def test_what_answers_comes_first(question: str, passages: list[Passage]) -> None:
    assert RANKER.relevance(question, passages).argmax() == 0


def test_the_parts_of_a_specification_are_told_apart() -> None:
    spec = Passage("p1#容量", "spec", "蓄光充电宝: 容量: 20000 mAh", 0.0, ProductId("p1"))
    assert parts(spec) == ("蓄光充电宝", "容量", "容量: 20000 mAh")
    stored = Passage("d", "qa", "Yes.", 0.0, None, "Is it safe?", "Yes.")
    assert parts(stored) == ("", "", "Is it safe? Yes.")
    assert parts(Passage("d", "document", "Ships in two days. Note: not on Sundays.", 0.0))[1] == ""


def test_saved_is_loaded_and_weights_of_other_features_are_refused(tmp_path: Path) -> None:
    RANKER.save(tmp_path)
    write_manifest(tmp_path, kind=KIND, schema=SCHEMA, command="test", seed=0, data={}, metrics={})
    passages = told("weight: 2.4 kg", "colour: black")
    again = load_reranker(tmp_path).relevance("how heavy", passages)
    np.testing.assert_allclose(again, RANKER.relevance("how heavy", passages), atol=1e-3)
    stored = json.loads((tmp_path / "weights.json").read_text(encoding="utf-8"))
    stored["weights"].pop(FEATURES[0])
    (tmp_path / "weights.json").write_text(json.dumps(stored), encoding="utf-8")
    write_manifest(tmp_path, kind=KIND, schema=SCHEMA, command="test", seed=0, data={}, metrics={})
    with pytest.raises(ArtifactError, match="other features"):
        load_reranker(tmp_path)


def test_what_ships_is_small_and_says_what_it_learnt_from() -> None:
    manifest = read_manifest(ZOO)
    assert sum(entry["size"] for entry in manifest["files"].values()) < 3_000_000
    assert "CDLA-Sharing-1.0" in str(manifest["data"]["source"])
    assert manifest["metrics"]["p_at_1_hetpqa"] >= 0.68
    assert manifest["metrics"]["p_at_1_semipqa"] >= 0.68
