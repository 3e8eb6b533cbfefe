"""One text for each reason of a refusal, wherever it is told."""

from services.records.order_answers import OrderAnswer
from services.records.refusal_texts import REFUSALS, REMEDIES, refusal_text


def test_every_text_is_a_sentence_and_every_remedy_has_its_text():
    assert all(text[0].isupper() and text.endswith(".") for text in REFUSALS.values())
    assert set(REMEDIES) <= set(REFUSALS)


def test_a_command_tells_text_and_remedy_in_its_own_sentence():
    told = "the data set's budget is used up; --beyond-budget joins all the same"
    assert refusal_text("over_budget") == told
    assert refusal_text("something_new") == ""
    for code in REFUSALS:
        assert OrderAnswer(code).reason == f"{code}: {refusal_text(code)}"
