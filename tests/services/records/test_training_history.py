"""A training's history from its facts: rounds with their times, who was dropped, what failed or came late."""

from services.records.training_history import RoundHistory, TrainingHistory, history_of
from services.store import InstanceRow
from tests.support.roles.pure_party import Party
from tests.support.roles.small_markets import losing, small_data, small_market

RUNNING = InstanceRow("1", 1, b"", "IN_PROGRESS", finished=False, updated_at=500.0)
OVER = InstanceRow("1", 1, b"", "FINISHED", finished=True, updated_at=500.0)


def dropped(number, who, at):
    return ("dropped", {"participant": who, "round": number, "code": "update_late"}, at)


def test_rounds_run_from_the_end_of_the_one_before():
    facts = [
        ("opened", {"training": 1}, 100.0),
        ("started", {}, 110.0),
        ("round_recorded", {"round": 1, "last": False}, 113.0),
        ("round_recorded", {"round": 2, "last": True}, 120.0),
        ("settled", {}, 130.0),
    ]
    found = history_of(OVER, facts)
    assert found.rounds == (RoundHistory(1, 110.0, 113.0), RoundHistory(2, 113.0, 120.0))
    assert [one.seconds for one in found.rounds] == [3.0, 7.0]
    assert (found.began_at, found.ended_at) == (100.0, 500.0)
    assert found.failures == found.retries == ()


def test_a_round_under_way_has_no_end():
    found = history_of(RUNNING, [("role_drawn", {}, 1.0), ("round_recorded", {"round": 1}, 4.0)])
    assert found.rounds == (RoundHistory(1, 1.0, 4.0), RoundHistory(2, 4.0, None))
    assert found.rounds[1].seconds is None
    assert found.ended_at is None
    assert history_of(RUNNING, []).rounds == ()


def test_a_round_that_began_unseen_has_an_end_alone():
    (made,) = history_of(OVER, [("round_recorded", {"round": 1}, 4.0)]).rounds
    assert (made.started_at, made.finished_at, made.seconds) == (None, 4.0, None)


def test_an_aggregators_rounds_end_when_it_has_signed_them():
    facts = [("started", {}, 1.0), ("round_signed", {"round": 1, "last": True}, 3.0)]
    assert history_of(OVER, facts).rounds == (RoundHistory(1, 1.0, 3.0),)


def test_who_was_dropped_and_what_failed_belong_to_their_round():
    facts = [
        ("started", {}, 1.0),
        dropped(2, "0xc", 2.0),  # the next round is trained while this one is measured
        dropped(1, "0xa", 3.0),
        dropped(1, "0xb", 3.0),
        ("violation", {"code": "bad_opening", "accused": "0xd"}, 4.0),
        dropped(1, "0xe", 5.0),
        ("round_signed", {"round": 1}, 6.0),
        ("implausible", {"round": 2}, 7.0),
        ("round_signed", {"round": 2}, 9.0),
    ]
    first, second = history_of(OVER, facts).rounds
    assert (first.attempts, first.dropped, first.violations) == (3, ("0xa", "0xb", "0xe"), ("bad_opening",))
    assert (second.attempts, second.dropped, second.violations) == (2, ("0xc",), ("implausible",))
    assert len(history_of(OVER, facts).failures) == 6


def test_what_came_late_is_a_retry():
    late = ("late", {"of": "message", "attempts": 3, "seconds": 1.5}, 2.0)
    found = history_of(RUNNING, [("opened", {}, 1.0), late])
    assert found.retries == (late,)
    assert found.failures == ()


def test_everybodys_history_shows_who_was_left_out_and_how_often() -> None:
    """Two trainers miss one deadline: one more attempt, though buyer and owners hear of each by itself."""
    market = small_market(data=small_data(owners=8), validators=[6, 7])
    silent = {owner.address for owner in market.owners[:2]}
    market.intercept = losing(
        lambda m: m.envelope.type == "proven_update" and m.envelope.sender in silent and m.envelope.round == 1
    )
    market.finish()
    for party in (market.aggregator, market.buyer, market.owners[3]):
        first = history(party).rounds[0]
        assert (set(first.dropped), first.attempts) == (silent, 2), party


def test_everybodys_history_shows_why_a_training_ended() -> None:
    market = small_market()
    market.intercept = losing(lambda m: m.envelope.type == "proven_update" and m.envelope.round == 2)
    market.finish()
    silent = [owner.address for owner in market.owners[:2]]
    for party in (market.aggregator, market.buyer, *market.owners):
        ends = [fact.data for fact in history(party).failures if fact.name == "gave_up"]
        assert ends == [{"code": "too_few_trainers", "last_round": 1, "silent": silent}], party


def history(party: Party) -> TrainingHistory:
    """As `deltaml history` has it; facts of one step have one time, those of others another."""
    return history_of(OVER, [(fact.name, fact.data, float(at)) for at, fact in enumerate(party.facts)])
