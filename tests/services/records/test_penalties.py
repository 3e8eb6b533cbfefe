"""What each λ of a path came to, which was chosen, and how it is told."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.console.presentation.model_card import as_markdown
from services.console.presentation.penalties import penalty_sentence
from services.records.chain_history import ChainStory
from services.records.model_card import model_card
from services.records.penalties import Penalty, chosen_ridge, penalties, penalties_of
from services.store import Store
from tests.support.console.trainings import finished_training
from tests.support.deployment.documents import any_request

PATH = ["1", "0.1", "0"]


def request_of(rounds=6, path=PATH):
    return any_request(model={"l2": path}, schedule={"rounds": rounds, "step_size": 1})


def test_each_penalty_has_the_least_error_of_its_rounds_and_the_delivered_round_s_is_chosen():
    found = penalties(request_of(), [9, 5, 4, 2, 3, 6, 7], delivered=3)
    assert [(one.ridge, one.error, one.chosen) for one in found] == [
        ("1", 4, False),
        ("0.1", 2, True),
        ("0", 6, False),
    ]
    assert chosen_ridge(found) == "0.1"


def test_a_penalty_that_no_recorded_round_has_taken_has_no_error():
    found = penalties(request_of(), [9, 5], delivered=1)
    assert [one.error for one in found] == [5, None, None]
    assert "5 for 1, – for 0.1, – for 0" in penalty_sentence(found)


def test_nothing_is_chosen_before_the_first_round_or_of_one_penalty():
    assert penalties(request_of(), [9], delivered=0) == ()
    assert penalties(request_of(path="0.1"), [9, 5], delivered=1) == ()
    assert penalties_of(request_of(), ChainStory()) == ()
    assert penalty_sentence(()) == ""


@given(st.lists(st.floats(0.1, 1e6), min_size=7, max_size=7, unique=True))
def test_the_chosen_penalty_has_the_least_of_all_errors(errors):
    best = min(range(1, 7), key=lambda number: errors[number])
    found = penalties(request_of(), errors, delivered=best)
    [chosen] = [one for one in found if one.chosen]
    assert chosen.error == min(one.error for one in found) == errors[best]


def test_it_is_told_in_words_of_the_reader_s_language():
    path = (Penalty(ridge="1", error=2.5, chosen=False), Penalty(ridge="0.1", error=0.75, chosen=True))
    assert penalty_sentence(path) == (
        "Of the ridge penalties λ = 0.1 has the least error, and is chosen: least errors are "
        "2.5 for 1, 0.75 for 0.1."
    )
    assert "λ = 0.1 tiene el menor error" in penalty_sentence(path, "es")


def test_a_card_tells_the_chosen_penalty_and_that_of_each_round():
    store = Store()
    key = finished_training(store, model={"l2": PATH}, schedule={"rounds": 3, "step_size": 1})
    card = model_card(store, store.instance(key))
    assert [one.ridge for one in card.rounds] == [None, "1", "0.1", "0"]
    assert [one.chosen for one in card.penalties] == [False, False, True]
    assert card.penalties[-1].error == pytest.approx(card.mse)
    page = as_markdown(card)
    assert "ridge penalty λ = 0" in page
    assert "λ = 0 has the least error, and is chosen" in page
