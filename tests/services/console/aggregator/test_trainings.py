"""What an aggregator's operator sees: who answered, who is waited for, which deadlines run."""

import pytest

from protocol.roles.aggregator.attempts import AskingLane, MomentsLane, RepeatingLane
from protocol.roles.aggregator.lanes import SigningLane
from protocol.roles.shared.parties import Parties
from services.console.aggregator.views import Training
from services.console.aggregator.work import BUYER
from services.store import Store
from tests.support.console.aggregator import QUESTION, in_training, measured, proven, put, signed_by
from tests.support.console.trainings import OWNERS, round_of, tell
from tests.support.console.world import Browser, ConsoleWorld, party_of


def test_who_is_waited_for_in_both_rounds_in_hand():
    store = Store()
    put(store, training_lane=in_training(5, 0, 2), evaluation=measured(4, SigningLane, **signed_by(3)))
    first, second = Training.find(party_of(store), "1").work
    assert (first.round, first.attempt, first.status) == (4, 2, "signing")
    assert (first.answered, first.waiting) == ((OWNERS[3],), (OWNERS[4],))
    assert (second.answered, second.waiting) == ((OWNERS[0], OWNERS[2]), (OWNERS[1],))
    (summary,) = Training.newest(party_of(store))
    assert (summary.state.request.name, summary.waiting, summary.state.request.schedule.rounds) == (
        "Disease progression",
        2,
        20,
    )


@pytest.mark.parametrize(
    ("fields", "waiting"),
    [
        ({"training_lane": in_training(5, 0, 1, 2, kind=MomentsLane, question=QUESTION)}, (BUYER,)),
        ({"evaluation": proven(4, AskingLane, question=QUESTION)}, (BUYER,)),
        ({"evaluation": proven(4, RepeatingLane, question=QUESTION)}, (BUYER,)),
        ({"evaluation": measured(4, SigningLane, metrics=(3, 4), **signed_by(4))}, (OWNERS[3],)),
        ({"phase": "settling", "evaluation": measured(4, SigningLane, **signed_by(4))}, None),
    ],
)
def test_the_buyer_and_the_signers_are_waited_for(fields, waiting):
    store = Store()
    put(store, **fields)
    work = Training.find(party_of(store), "1").work
    assert (work[0].waiting if work else None) == waiting


def test_deadlines_answers_and_who_was_left_out():
    store = Store()
    facts = [("owner_answered", {"owner": OWNERS[0], "decision": "accepted"})]
    put(store, dropped=0b00010, facts=facts, timers={"updates:5": 60.0, "checks:4.2": 30.0, "unknown": 1.0})
    shown = Training.find(party_of(store), "1")
    assert [deadline.at for deadline in shown.deadlines] == [1030.0, 1060.0]
    assert shown.answers == ((OWNERS[0], "accepted"),)
    assert shown.dropped == (OWNERS[1],)


def test_a_training_whose_request_has_not_come():
    store = Store()
    put(store, phase="requested", opened=None, request=None, parties=Parties())
    shown = Training.find(party_of(store), "1")
    assert (shown.state.request, shown.partners) == (None, ())
    assert Training.find(party_of(store), "2") is None


async def test_the_pages_and_no_way_to_act(tmp_path):
    async with ConsoleWorld(tmp_path, "federated_aggregator").running() as world, Browser(world) as browser:
        await browser.sign_in()
        assert "No trainings yet" in await browser.get("/trainings")
        put(world.store, training_lane=in_training(2, 0), timers={"updates:2": 60.0})
        tell(world.store, 1, round_of(1, 1).model_copy(update={"shapley": (), "pay_weights": ()}))
        assert "Disease progression" in await browser.get("/trainings")
        page = await browser.get("/trainings/1")
        for text in ("Round 2", OWNERS[1], "the trainers' updates", "216,000,000"):
            assert text in page, text
        assert page.count("<form") == 2, "only preferences and signing out"
        assert (await browser.post("/trainings/1/stop")).status == 404
        async with browser.http.get("/live/training/1") as response:
            assert b"event: work" in await response.content.readuntil(b"event: work")
