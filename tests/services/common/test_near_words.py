import pytest

from protocol.request_kinds import DEMANDS
from services.common.near_words import choice_text, meant_text, nearest


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("logistic", "logistic_regression"),
        ("Cox", "cox_regression"),
        ("linear-regression", "linear_regression"),
        ("poison_regression", "poisson_regression"),
        ("gamma", "gamma_regression"),
        ("multi", None),
        ("", None),
    ],
)
def test_the_word_that_was_meant(written, meant):
    assert nearest(written, tuple(DEMANDS)) == meant


def test_all_words_are_listed_for_a_choice():
    assert choice_text("men", ("zero", "mean")) == "did you mean 'mean'? There are zero, mean"
    assert choice_text("x", ("zero", "mean")) == "choose one of zero, mean"
    assert choice_text("x", tuple(map(str, range(100)))).endswith("22, 23 and 76 more")
    assert meant_text("men", ("zero", "mean")) == "did you mean 'mean'?"
    assert meant_text("x", ("zero", "mean")) == "known are zero, mean"
