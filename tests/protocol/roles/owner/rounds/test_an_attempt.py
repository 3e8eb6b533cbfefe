"""An honest attempt from a round's evidence to the record, seen by its members."""

import numpy as np
import pytest

from protocol.bodies import body_of
from protocol.learning.kinds.registry import kind_of
from protocol.learning.scales import COEFFICIENT_SCALE, UPDATE_SCALE
from protocol.messages import Opening
from protocol.messages.rounds import CheckVerdict
from protocol.records import FIXED_POINT
from protocol.roles.rounds.start import first_link
from tests.support.roles.checked_owners import ALL, CHECKED, PlayedAttempt, played
from tests.support.roles.pure_party import make_statistic
from tests.support.roles.small_markets import COLUMNS


def plain_models(play: PlayedAttempt) -> list[list[float]]:
    """M·x + v of every trainer, from what it has committed to; the start is zero."""
    world = play.world
    start = np.array([float(one) for one in world.request.start_weights()])
    found = []
    for trainer in world.parties.addresses(world.parties.trainers):
        rows = [row.values for row in world.committed[trainer][1].map_rows()]
        matrix = np.array([row[:-1] for row in rows], dtype=float) / 2.0**COEFFICIENT_SCALE
        offset = np.array([float(row[-1]) for row in rows]) / 2.0**UPDATE_SCALE
        found.append(list(matrix @ start + offset))
    return found


def plain_errors(play: PlayedAttempt, model: list[float]) -> float:
    """The members' weighted mean square error of a model on their own rows."""
    world, total, weights = play.world, 0.0, play.measured.weights
    seats = dict(zip(world.parties.seats, world.data, strict=True))
    for member, weight in weights.items():
        factor = kind_of(world.request).measuring_factor(
            world.request, make_statistic(COLUMNS, seats[member])
        )
        total += weight * float(np.sum((factor @ np.array([*model, -1.0])) ** 2))
    return total / sum(weights.values())


def test_an_attempt_ends_in_the_record_of_the_plain_errors() -> None:
    play = played(*ALL)
    (opening,) = play.of_type("opening")
    record = body_of(opening, Opening).record
    errors = [plain_errors(play, model) for model in plain_models(play)]
    assert [one / FIXED_POINT for one in record.own] == pytest.approx(errors, rel=1e-4)
    start = plain_errors(play, [float(one) for one in play.world.request.start_weights()])
    assert record.mse_before / FIXED_POINT == pytest.approx(start, rel=1e-4)


def test_every_member_signs_it_and_stands_after_it() -> None:
    play = played(*ALL)
    assert [one.envelope.sender for one in play.of_type("round_signature")] == list(play.members)
    for member in play.members.values():
        assert member.state.attempt is None
        assert member.state.link.round == 1
        assert member.state.link.model_digest == play.measured.next_model.digest()
        (held,) = member.state.signed_rounds
        assert {signer for signer, _ in held.signatures} == set(play.members)
        (model,) = member.state.signed_models
        assert model.digest == play.measured.next_model.digest()
    assert not play.early


def test_masks_seeds_and_evidence_are_kept_no_longer_than_the_round() -> None:
    """What is left: what opens the commitments, everybody's commitments, and the model to hand out."""
    for member in played(*ALL).members.values():
        state = member.state
        kept = {state.secrets.digest, state.owners.digest, state.signed_models[0].model.digest}
        assert set(member.blobs) == kept


def test_before_that_nobody_has_moved_on() -> None:
    play = played(*ALL[:-1])
    first = first_link(play.world.request, play.world.key)
    assert {member.state.link for member in play.members.values()} == {first}


def test_both_checkers_say_the_same_to_everybody_and_the_others_nothing() -> None:
    play = played(*CHECKED)
    verdicts = [body_of(one, CheckVerdict) for one in play.of_type("check_verdict")]
    assert [one.in_order for one in verdicts] == [True, True]
    assert verdicts[0].digests == verdicts[1].digests
    assert verdicts[0].projection != verdicts[1].projection
    told = [one.envelope for one in play.wire if one.envelope.type == "check_verdict"]
    assert {one.sender for one in told} == set(play.world.checkers)
    assert len(told) == 2 * len(play.members)


def test_every_member_sends_one_metric_and_only_to_the_aggregator() -> None:
    play = played(*CHECKED)
    metrics = [one.envelope for one in play.wire if one.envelope.type == "proven_metric"]
    assert [one.sender for one in metrics] == list(play.members)
    assert {one.recipient for one in metrics} == {play.world.aggregator}
