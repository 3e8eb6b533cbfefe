from unicodedata import normalize

import pytest

from services.common.accents import composed

APART = normalize("NFD", "é")


def test_texts_of_a_document_have_their_accents_in_one_form():
    document = {"name": APART, "levels": [APART, ("a", APART)], "count": 7, "none": None, APART: True}
    assert composed(document) == {
        "name": "é",
        "levels": ["é", ("a", "é")],
        "count": 7,
        "none": None,
        APART: True,
    }


@pytest.mark.parametrize("size", [25, 100_000])
def test_what_lies_too_deep_is_left_to_whoever_refuses_it(size):
    deep = []
    for _ in range(size):
        deep = [deep]
    assert composed(deep)[0][0][0] is not None
