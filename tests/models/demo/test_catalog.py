"""The demo shop is whole: ids agree, every product is described, asked about and on a shelf."""

from collections import Counter

from models.demo.catalog import (
    demo_documents,
    demo_languages,
    demo_products,
    demo_rooms,
    paraphrased_questions,
    unanswerable_questions,
)

PRODUCT_IDS = {product.product_id for product in demo_products()}


def test_there_are_five_products_in_each_of_twelve_categories() -> None:
    assert set(Counter(product.category for product in demo_products()).values()) == {5}
    assert len(PRODUCT_IDS) == 60


def test_products_state_six_to_ten_attributes_and_a_price_above_zero() -> None:
    for product in demo_products():
        assert 6 <= len(product.attributes) <= 10, product.product_id
        assert product.price.amount > 0
        assert product.price.currency in {"CNY", "USD", "EUR"}


def test_both_languages_and_sold_out_products_occur() -> None:
    assert set(demo_languages().values()) == {"zh", "en"}
    assert any(product.stock == 0 for product in demo_products())


def test_document_ids_are_unique_and_their_products_exist() -> None:
    assert len({document.document_id for document in demo_documents()}) == len(demo_documents())
    assert {document.product_id for document in demo_documents()} == PRODUCT_IDS | {None}


def test_every_product_has_at_least_four_answers() -> None:
    answers = Counter(document.product_id for document in demo_documents() if document.question and document.answer)
    assert min(answers[product_id] for product_id in PRODUCT_IDS) >= 4


def test_shelves_hold_eight_to_twenty_known_products_without_repeats() -> None:
    for room in demo_rooms():
        assert 8 <= len(room.shelf) <= 20
        assert len(set(room.shelf)) == len(room.shelf)
        assert set(room.shelf) <= PRODUCT_IDS


def test_six_rooms_are_live_and_show_something_of_their_shelf() -> None:
    live = [room for room in demo_rooms() if room.live]
    assert len(live) == 6
    assert all(room.showing in room.shelf for room in live)


def test_open_questions_and_paraphrases_point_at_what_exists() -> None:
    assert {question.product_id for question in unanswerable_questions()} <= PRODUCT_IDS | {None}
    assert set(paraphrased_questions().values()) <= {document.document_id for document in demo_documents()}
