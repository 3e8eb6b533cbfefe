"""What a buyer's store says of standard errors."""

from protocol.learning.inference.estimates import CheckerWord, Inference
from services.records.stored_inference import bought_inference, coefficient_table, why_missing
from services.store import Store
from tests.support.console.trainings import finished_training

FOUND = Inference(names=("age", "bmi", "intercept"), standard_errors=(1.0, 2.0, 4.0), trainers=5, rows=300)


def test_a_table_is_of_the_stored_model():
    store = Store()
    row = store.instance(finished_training(store, inference=FOUND))
    assert bought_inference(store, row) == FOUND
    table = coefficient_table(store, row, confidence=0.5)
    assert [(one.name, one.weight) for one in table.lines] == [
        ("age", 1.25),
        ("bmi", -2.5),
        ("intercept", 152.125),
    ]
    assert (table.statistic, table.confidence) == ("z", 0.5)
    assert why_missing(table.inference) == ""


def test_without_any_there_is_nothing():
    store = Store()
    assert bought_inference(store, store.instance(finished_training(store))) is None


def test_a_checkers_word_is_told_as_its_word():
    one, other, owner = ("0x" + digit * 40 for digit in "123")
    words = CheckerWord(checker=one, lacks=(owner,)), CheckerWord(checker=other)
    assert why_missing(Inference(missing="silent", told=words)) == (
        f"checker {one} says that it got nothing from {owner}; checker {other} has sent the sum of all shares"
        "; they are made when the last answer comes, within 30 days"
    )
    assert why_missing(Inference(missing="silent", silent=(other,))) == (
        f"checker {other} sent nothing in time; they are made when the last answer comes, within 30 days"
    )
