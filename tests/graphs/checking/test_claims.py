from dataclasses import replace

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from graphs.checking.claims import assertions_in, clauses_of, misstated, tells_money, unsupported_assertions
from graphs.hosting.sayings import Saying
from tests.graphs.world import LAMP

FACTS = ("防水等级：IPX5", "酒精：不含酒精", "材质：纯棉", "续航 8 小时", "Care: machine wash at 30 °C", "Fragrance: none")


@pytest.mark.parametrize(
    ("text", "missing"),
    [
        ("防水等级 IPX5，续航 8 小时", ()),
        ("防水等级 IPX7", ("ipx7",)),
        ("续航 12 小时", ("12 小时",)),
        ("不含酒精", ()),
        ("含酒精", ("酒精",)),
        ("不防水", ("防水",)),
        ("纯棉的", ()),
        ("真丝的", ("真丝",)),
        ("It is machine washable.", ()),
        ("It is not machine washable.", ("machine washable",)),
        ("no fragrance", ()),
        ("fragrance-free", ()),
        ("with a nice fragrance", ("fragrance",)),
        ("不含防腐剂", ("防腐剂",)),
        ("它能美白", ("美白",)),
        ("包邮，七天无理由退换", ("七天", "包邮", "无理由退换")),
        ("better than other brands", ("better than",)),
        ("free of gluten", ("gluten",)),
        ("大家好，欢迎来到直播间。", ()),
        ("Type your questions and I will answer them.", ()),
    ],
)
def test_what_the_facts_do_not_state_is_found(text: str, missing: tuple[str, ...]) -> None:
    assert set(unsupported_assertions(text, FACTS)) == set(missing)


def test_evidence_in_one_language_supports_a_text_in_the_other() -> None:
    assert unsupported_assertions("It is waterproof and pure cotton.", ("防水，纯棉",)) == ()
    assert unsupported_assertions("可以进洗碗机", ("Not dishwasher safe",)) == ("洗碗机",)


@settings(deadline=None)  # a busy machine is no fault
@given(st.text(alphabet="不含防水酒精纯棉是waterproof no 123 W，。", max_size=60))
@example("不含W1")
@example("不含roofwaters水")
def test_a_text_supports_itself(text: str) -> None:
    assert unsupported_assertions(text, (text,)) == ()


@settings(deadline=None)  # a busy machine is no fault
@given(st.text(max_size=100))
def test_clauses_joined_are_the_text(text: str) -> None:
    assert "".join(clauses_of(text)) == text


def test_statements_have_kinds() -> None:
    assert {s.kind for s in assertions_in("12 W, waterproof, whitening, free shipping, better than others, peanut-free")} == {
        "figure",
        "property",
        "effect",
        "offer",
        "comparison",
        "absence",
    }


@pytest.mark.parametrize(("text", "tells"), [("只要 99 元", True), ("$5 less", True), ("打8折", True), ("8 小时", False), ("3 个", False)])
def test_money_is_told_from_other_figures(text: str, *, tells: bool) -> None:
    assert tells_money(text) is tells


@pytest.mark.parametrize(
    ("text", "is_wrong"),
    [
        ("产地是北京。", True),
        ("先看产地，是中国浙江。", False),
        ("先看产地，是 36 个月。", True),
        ("它的续值是 36 个月。", True),
        ("现在我手里的就是面霜，是 36 个月。", True),
        ("它的保质期是 36 个月。", False),
        ("产地：中国浙江", False),
        ("产地是浙江", False),
        ("这款很好。", False),
        ("For the material, it is 2 years.", True),
        ("Its material is recycled nylon.", False),
        ("Its battery origin is recycled nylon.", True),
        ("The warranty: 2 years.", False),
        ("The warranty is 3 years.", True),
    ],
)
def test_values_belong_to_their_labels(text: str, *, is_wrong: bool) -> None:
    store = replace(LAMP, attributes={"产地": "中国浙江", "保质期": "36 个月", "Material": "recycled nylon", "Warranty": "2 years"})
    stated = [Saying(name, name, value, "") for name, value in store.attributes.items()]
    assert bool(misstated(text, stated)) is is_wrong
