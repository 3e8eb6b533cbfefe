"""What happened, in words."""

from services.console.presentation.timeline import TEXTS, timeline
from services.records.chain_history import chain_story
from services.store import Store
from tests.support.console.trainings import finished_training, running_training

AHEAD = [("trained", {"round": number}, float(number)) for number in (3, 4)]


def test_an_update_of_a_round_that_never_came_was_not_needed():
    """An update goes out ahead of its round; which one was the last is known when the training is settled."""
    for make, last in ((running_training, "trained"), (finished_training, "trained_in_vain")):
        store = Store()
        make(store)
        fourth, third = timeline(AHEAD, chain_story(store, 1))[-2:]
        assert fourth.text == TEXTS[last]
        assert third.text == TEXTS["trained"]
        store.close()
