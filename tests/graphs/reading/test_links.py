"""Numbers of links are read off a question; other numbers are not taken for them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphs.reading.links import named_links


@pytest.mark.parametrize(
    ("question", "places", "rest"),
    [
        ("how much is number 2", (2,), "how much is"),
        ("what's the second one?", (2,), "what's ?"),
        ("link 12 in stock?", (12,), "in stock?"),
        ("is #3 waterproof", (3,), "is waterproof"),
        ("item 2 weight", (2,), "weight"),
        ("链接2多少钱", (2,), "多少钱"),
        ("2号链接", (2,), ""),
        ("第二个", (2,), ""),
        ("三号防水吗", (3,), "防水吗"),
        ("十二号链接多少钱", (12,), "多少钱"),
        ("讲一下第3个商品", (3,), "讲一下"),
        ("2号和3号多少钱", (2, 3), "和 多少钱"),
        ("2和3号多少钱", (2, 3), "和 多少钱"),
        ("99号链接", (99,), ""),
        ("1,2,3号链接多少钱", (1, 2, 3), ", , 多少钱"),
        ("1，99号链接", (1, 99), ","),
        ("2-4号", (2, 3, 4), ""),
        ("2到4号链接防水吗", (2, 3, 4), "防水吗"),
        ("链接1-3", (1, 2, 3), ""),
        ("number 2 and 3 price", (2, 3), "price"),
        ("links 1 and 2", (1, 2), ""),
        ("items 1, 2 and 3 in stock?", (1, 2, 3), "in stock?"),
        ("links 1 to 3 price", (1, 2, 3), "price"),
        ("3", (3,), ""),
        ("３？", (3,), ""),
        ("链接二多少钱", (2,), "多少钱"),
        ("链接三防水吗", (3,), "防水吗"),
    ],
)
def test_a_link_is_named_by_its_number(question: str, places: tuple[int, ...], rest: str) -> None:
    assert named_links(question, 12) == (places, rest)


@pytest.mark.parametrize(
    "question",
    [
        *("is it 2 kg", "does it fit an iPhone 15", "how much is iphone 15", "can I buy two", "do you have size number 5", "spf #30"),
        *("which number is it", "how many seconds", "is it second hand", "a number 2 pencil", "what is the model number 15"),
        *(
            "2 kg 的吗",
            "iPhone 15 能用吗",
            "5号发货吗",
            "37号有吗",
            "2号色显白吗",
            "要用5号电池吗",
            "第二件半价吗",
            "几号链接",
            "宝贝3个月能用吗",
        ),
        *("商品一般多久发货", "商品一共", "链接一直打不开", "商品十分满意", "宝贝两周", "今年2号", "2到3号能到吗"),
        *("is this product one size fits all", "Is this item two-sided", "product 3 in 1", "is the item one of a kind?", "50%"),
        *("Will it arrive by the 25th?", "Does the sale end on the 30th?", "is it on until May 25th?"),
        *("第一次用", "第一个月免费吗", "3000元的吗", "2月3号开播吗"),
    ],
)
def test_another_number_names_no_link(question: str) -> None:
    assert named_links(question, 12) == ((), question)


@pytest.mark.parametrize(
    "question", ["999999999999号链接", "链接-1", "链接９９９", "link 999999999999", "链接999999999999", "link " + "9" * 5000]
)
def test_a_number_that_no_shelf_has_is_read_whole(question: str) -> None:
    (place,), rest = named_links(question, 12)
    assert not 1 <= place <= 12
    assert rest == ""


@given(st.text(alphabet="1239-,、号链接到and links.?", max_size=20), st.integers(0, 20))
def test_numbers_in_any_order_are_read(text: str, shelf_size: int) -> None:
    found = named_links(text, shelf_size)
    assert len(set(found.places)) == len(found.places)


@given(st.text(max_size=40), st.integers(0, 20))
def test_every_text_is_read(text: str, shelf_size: int) -> None:
    found = named_links(text, shelf_size)
    assert found.rest == text or found.places
