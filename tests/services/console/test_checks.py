"""What a training's page tells of its checks: attempts, complaints, who is held to blame and why."""

import pytest

from services.console.buyer.trainings import PAGES
from services.console.presentation.assets import Assets
from services.console.presentation.rendering import Reader, Templates
from services.store import Store
from tests.support.console.trainings import finished_training, given_up_training
from tests.support.console.visible import visible_text
from tests.support.console.world import party_of


@pytest.fixture(scope="module")
def templates():
    return Templates(Assets().url)


@pytest.fixture
def shown(templates):
    """Gives the parts of a training's page as text, by part."""
    store = Store()

    def parts(made, language="en"):
        key = made(store)
        fragments = PAGES.live_one(Reader(templates, party_of(store), language), key)
        return {part: " ".join(visible_text(text).split()) for part, text in fragments.items()}

    yield parts
    store.close()


def test_a_training_that_was_given_up_says_who_is_held_to_blame_and_why(shown):
    parts = shown(given_up_training)
    for part in ("status", "checks"):
        assert "Held to blame in round 2: 0x000000…0000a4 · it complained of what is in order" in parts[part]
        assert "it has shown two parties different things" in parts[part]
    assert parts["checks"].count("This party has seen it itself") == 1
    assert parts["checks"].count("The aggregator says so") == 1
    assert "The aggregator waited in vain for: 0x000000…0000a5" in parts["checks"]
    for told in (
        "Round 2 2 Attempt 1, a checker's word: 0x000000…0000a4 · the numbers are not those of the updates",
        "Attempt 2, a checker's word: 0x000000…0000a4 · the next model is out of its range",
        "Attempt 1 came to nothing · it cannot be seen who is wrong: others check",
        "Left out: 0x000000…0000a5 · its share came too late",
        "The aggregator gave up after round 1. Too few validators answered.",
    ):
        assert told in parts["checks"], told


def test_it_says_so_in_spanish(shown):
    checks = shown(given_up_training, "es")["checks"]
    assert "Responsable en la ronda 2: 0x000000…0000a4 · se quejó de lo que está en orden" in checks
    assert "El intento 1 no llegó a nada" in checks


def test_of_a_training_in_which_nothing_was_wrong_there_is_nothing_to_tell(shown):
    assert shown(finished_training)["checks"] == "Nothing was found wrong in any round so far."
