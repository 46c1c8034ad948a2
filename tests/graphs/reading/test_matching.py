"""A statement answers what it tells, and nothing that points elsewhere."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graphs.reading.asking import asked_concepts, concept_of
from graphs.reading.matching import match, sure_matches
from graphs.reading.question import read_question
from graphs.reading.statements import named_value, statements_in
from models.types import Passage

KETTLE = ["容量: 1.7 L", "重量: 1.2 kg", "杯盖材质: PP", "保修期: 两年", "线长: 0.8 米", "颜色: 米白、墨绿"]
BOTTLE = ["Capacity: 750 ml", "Weight: 390 g", "Keeps cold: 24 hours", "Dishwasher safe: lid only", "Colours: slate, sand"]
POLICIES = [
    "下单后 48 小时内从福建发货，默认中通快递。",
    "支持七天无理由退换，运费由买家承担。",
    "保质期三年，开封后请在 12 个月内用完。",
    "It climbs thresholds up to 20 mm.",
    "Returns are accepted within 30 days if unused.",
]


def _answer(question: str, facts: list[str], title: str = "") -> list[str]:
    passages = [Passage(f"d{place}", "document", fact, 0.5) for place, fact in enumerate(facts)]
    return [found.statement.text for found in sure_matches(read_question(question, [title]), statements_in(passages))]


@pytest.mark.parametrize(
    ("question", "facts", "place"),
    [
        ("能装多少水", KETTLE, 0),
        ("这个壶多重", KETTLE, 1),
        ("杯盖什么材质", KETTLE, 2),
        ("坏了保修多久", KETTLE, 3),
        ("线有多长", KETTLE, 4),
        ("有红色吗", KETTLE, 5),
        ("what does it weigh", BOTTLE, 1),
        ("how long does it keep drinks cold", BOTTLE, 2),
        ("can i put it in the dishwasher", BOTTLE, 3),
        ("什么时候发货", POLICIES, 0),
        ("发什么快递", POLICIES, 0),
        ("不喜欢可以退吗", POLICIES, 1),
        ("退货运费谁出", POLICIES, 1),
        ("开封后能放多久", POLICIES, 2),
        ("can it get over door thresholds", POLICIES, 3),
        ("what if i don't like it", POLICIES, 4),
    ],
)
def test_the_statement_that_tells_what_is_asked_is_found(question: str, facts: list[str], place: int) -> None:
    assert _answer(question, facts, "恒温电热水壶") == [facts[place]]


@pytest.mark.parametrize(
    ("question", "facts"),
    [
        ("壶盖多重", KETTLE),
        ("什么材质", KETTLE),
        ("充电盒多大容量", KETTLE),
        ("噪音大不大", KETTLE),
        ("how tall is it", BOTTLE),
        ("how heavy is the lid", BOTTLE),
        ("does it fit a cup holder", BOTTLE),
        ("包邮吗", POLICIES),
        ("几天能到", POLICIES),
        ("how long is the warranty", POLICIES),
    ],
)
def test_what_points_elsewhere_is_not_answered(question: str, facts: list[str]) -> None:
    assert _answer(question, facts, "恒温电热水壶") == []


STATEMENTS = [
    "There may be light pilling after 20 washes.",
    "It lasts about 90 times, use nylon only.",
    "压140斤也不会变形。",
    "手机放得下，最长13小时。",
    "风劲: 5000帕",
]


@pytest.mark.parametrize("question", ["do I wash it before using it", "does it last in nylon", "会变形吗", "斤两准吗"])
def test_a_figure_is_no_answer_where_none_is_asked_for(question: str) -> None:
    assert all("nylon only" in found for found in _answer(question, STATEMENTS))


@pytest.mark.parametrize(
    ("question", "facts", "answer"),
    [
        ("风劲多少", STATEMENTS, STATEMENTS[4]),  # asked for by its name
        ("手机放得下吗", STATEMENTS, STATEMENTS[3]),  # said in a clause without a figure
        ("how many washes until it pills", STATEMENTS, STATEMENTS[0]),
        ("可以机洗吗", ["可以机洗，水温不超过30度。"], "可以机洗，水温不超过30度。"),
    ],
)
def test_a_figure_beside_what_is_asked_may_be_said(question: str, facts: list[str], answer: str) -> None:
    assert _answer(question, facts) == [answer]


@pytest.mark.parametrize(
    ("question", "fact"),
    [
        ("能定几个小时", "库存: 352件"),
        ("一包多少克", "标识: ±1克"),
        ("一套有几件", "音域: 67个键"),
        ("一瓶多少克", "家用需要，带9支替换装。"),
        ("用法是什么", "烂讯: 18167帕"),
        ("有没有优惠券", "折叠率: 37.6片"),
        ("does it fit the old version", "A 17 inch laptop fits."),
    ],
)
def test_a_figure_of_another_kind_or_under_an_unknown_name_is_no_answer(question: str, fact: str) -> None:
    assert _answer(question, [fact]) == []


@given(days=st.integers(10, 10_000), unit=st.sampled_from(["天", "次", "斤", "件"]))
def test_no_question_of_yes_or_no_is_answered_by_a_bare_figure(days: int, unit: str) -> None:
    for question in ("狗能吃吗", "要先洗吗", "can I eat it", "好看吗"):
        assert _answer(question, [f"吃{days}{unit}", f"{days} {unit}", f"eat {days}"]) == []


@pytest.mark.parametrize(
    ("question", "asked", "answer"),
    [
        ("包装好看吗", "想问送礼人群？", "可以的，质地比较软，水温72度以下。"),
        ("包装好看吗", "礼盒能洗吗？", "礼盒水温40度以下。"),
    ],
)
def test_a_figure_of_another_measure_is_no_answer_on_a_matter(question: str, asked: str, answer: str) -> None:
    stored = statements_in([Passage("d", "qa", asked, 0.5, question=asked, answer=answer)])
    found = match(read_question(question, []), stored[0])
    assert found.told
    assert found.is_stray_figure
    assert not found.is_sure


@pytest.mark.parametrize("fact", ["前10单送礼品袋。", "有礼盒装，加38元。"])
def test_a_figure_in_a_clause_on_the_matter_or_beside_it_may_be_said(fact: str) -> None:
    assert _answer("包装好看吗", [fact]) == [fact]


@pytest.mark.parametrize(
    ("question", "fact", "is_told"),
    [
        ("温控是啥样的", "酒是37度的。", False),
        ("温控是啥样的", "支架能旋转180度。", False),
        ("what is the temperature", "It rotates 360 degrees.", False),
        ("温控是啥样的", "37到80度。", True),
        ("酒精度多少", "酒是37度的。", True),
        ("酒精度多少", "水温40度以下。", False),
    ],
)
def test_degrees_are_of_heat_of_angles_or_of_alcohol(question: str, fact: str, is_told: bool) -> None:
    assert _answer(question, [fact]) == [fact] * is_told


def test_a_measure_that_is_asked_for_is_not_answered_by_a_matter_asked_beside_it() -> None:
    (statement,) = statements_in([Passage("d", "document", "成分是小麦粉。", 0.5)])
    assert not match(read_question("都有什么尺码", []), statement).is_all_told


def test_two_things_asked_for_are_both_told() -> None:
    assert _answer("容量和重量是多少", KETTLE) == KETTLE[:2]


def test_a_price_with_another_condition_is_not_the_price() -> None:
    assert [asked.concept.key for asked in asked_concepts("多少钱")] == ["price"]
    assert "price" not in {
        asked.concept.key for question in ("运费多少钱", "买两件多少钱", "原价多少") for asked in asked_concepts(question)
    }


@pytest.mark.parametrize(
    ("sentence", "value"),
    [
        ("重量：350克", ("重量", "350克")),
        ("The pedal colour is navy.", ("pedal colour", "navy")),
        ("森野餐椅的材质是榉木。", ("材质", "榉木")),
        ("可以放进洗碗机，水温不要超过 70 度。", None),
        ("Customer review: great.", None),
    ],
)
def test_named_values_are_read(sentence: str, value: tuple[str, str] | None) -> None:
    assert named_value(sentence) == value


@settings(deadline=None)
@given(text=st.text(max_size=60))
def test_any_text_may_be_asked_and_stated(text: str) -> None:
    found = _answer(text, [*KETTLE, text or "x"])
    assert len(found) <= 2


def test_a_concept_is_known_by_all_its_names() -> None:
    assert {concept.key for name in ("重量", "Weight", "自重") if (concept := concept_of(name))} == {"weight"}


@pytest.mark.parametrize(
    ("question", "answers", "place"),
    [
        ("发货要多久", {"可以开发票吗？": "下单时勾选，发货后 24 小时内发到邮箱。", "什么时候发货？": "当天付款的当天发货。"}, 1),
        (
            "how soon will it ship",
            {"Can I get an invoice?": "Yes, within 24 hours after it ships.", "When will my order ship?": "It ships the same day."},
            1,
        ),
    ],
)
def test_the_stored_question_that_asks_the_same_goes_first(question: str, answers: dict[str, str], place: int) -> None:
    stored = [Passage(f"d{n}", "qa", said, 0.5, question=asked, answer=said) for n, (asked, said) in enumerate(answers.items())]
    found = sure_matches(read_question(question, []), statements_in(stored))
    assert [match.statement.text for match in found] == [list(answers.values())[place]]


def test_the_colour_of_a_part_is_on_a_part_that_is_not_named() -> None:
    (statement,) = statements_in([Passage("d", "document", "杯盖颜色是银色。", 0.5)])
    assert not match(read_question("有几个颜色", ["保温杯"]), statement).is_of_part_named
    assert match(read_question("杯盖有几个颜色", ["保温杯"]), statement).is_of_part_named
