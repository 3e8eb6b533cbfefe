"""A path of penalties in one training: each round by its own map, and the λ of the least error delivered."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from protocol.envelope import SignedMessage
from protocol.request_parsing import parse_request
from protocol.ridge_path import ridge_of
from protocol.roles.dispatch import ROLES
from protocol.roles.owner import commitments
from protocol.roles.owner.budget import most_numbers
from protocol.roles.owner.committing import OwnerSecrets
from protocol.roles.owner.rounds import trainer as trainer_role
from tests.support.roles.plain_market import assert_model_of_twin, bought_weights, delivered_round, plain_twin
from tests.support.roles.pure_contract import recorded_errors
from tests.support.roles.pure_market import PureMarket
from tests.support.roles.pure_party import Matrix
from tests.support.roles.small_markets import COLUMNS, altered, body_of, small_request
from tests.support.roles.transcripts import entries_of, sealed, verified

PATH = ["1", "0.1", "0"]
ROUNDS = 3


def noisy_data(owners: int) -> list[Matrix]:
    """Twelve rows each about a line: a weak penalty learns their noise, a strong one nothing."""
    generator, data = np.random.default_rng(20), []
    for _ in range(owners):
        features = generator.uniform(-5, 5, (12, 2))
        target = features @ [4.0, -3.0] + generator.normal(0, 45, 12)
        data.append(np.column_stack([features, np.clip(target, -100, 100)]))
    return data


def path_market(owners: int = 4, validators: tuple[int, ...] = (2, 3), **schedule: Any) -> PureMarket:
    schedule = {"rounds": ROUNDS, "local_steps": 60, "tolerance": 0, **schedule}
    request = small_request(schedule=schedule, model={"l2": PATH})
    market = PureMarket(request, noisy_data(owners), COLUMNS, validators=list(validators), roles=ROLES)
    market.start()
    return market


@pytest.fixture(scope="module")
def market() -> PureMarket:
    market = path_market()
    market.finish()
    return market


def test_each_round_is_that_of_its_penalty_in_plaintext(market: PureMarket) -> None:
    assert {party.shown for party in market.parties.values()} == {"FINISHED"}
    assert not [violation for party in market.parties.values() for violation in party.violations]
    twin = plain_twin(market)
    assert len(twin.metrics) == ROUNDS
    for (_, after, *_), plain in zip(recorded_errors(market.contract), twin.metrics, strict=True):
        assert after == pytest.approx(plain.after, abs=2e-6)


def test_the_penalty_of_the_least_error_is_delivered_and_no_later_one(market: PureMarket) -> None:
    twin, request = plain_twin(market), market.request
    errors = [metrics.after for metrics in twin.metrics]
    best = 1 + int(np.argmin(errors))
    assert 1 < best < ROUNDS, "neither end of the path"
    assert delivered_round(market) == best
    assert ridge_of(request.model, request.schedule, best) == request.model.ridges[1]
    assert bought_weights(market) == pytest.approx(twin.averaging.models[best], abs=1e-6)
    assert np.abs(twin.averaging.models[best] - twin.averaging.models[-1]).max() > 0.05


def test_a_path_opens_no_more_than_as_many_rounds_of_one_penalty(market: PureMarket) -> None:
    for event in market.contract.recorded:
        assert len(event.record.own) == len(event.record.cross) == len(market.trainers())
    one = small_request(schedule={"rounds": ROUNDS, "local_steps": 60})
    plain = parse_request({**one, "aggregator": market.aggregator.address})
    assert most_numbers(market.request) == most_numbers(plain)


def test_every_party_verifies_the_rounds_the_choice_and_the_delivery(market: PureMarket) -> None:
    for party in (market.buyer, market.aggregator, *market.owners):
        report = verified(sealed(party, entries_of(market, party)), party.signing_key)
        assert report.failure is None
        assert [one.round for one in report.rounds] == [1, 2, 3]


def test_an_aggregator_that_delivers_another_penalty_s_model_is_refused_and_the_chosen_one_comes() -> None:
    market = path_market()

    def strongest(message: SignedMessage) -> Sequence[SignedMessage]:
        sender, kind = message.envelope.sender, message.envelope.type
        if kind != "trained_model" or sender != market.aggregator.address:
            return (message,)
        second = next(one for one in market.sent("encrypted_model") if one.envelope.round == 2)
        return (altered(market, message, model=body_of(second).model),)

    market.intercept = strongest
    market.finish()
    assert "wrong_model" in {violation.code for violation in market.buyer.violations}
    assert delivered_round(market) == 2
    assert_model_of_twin(market)


def by_first_map(market: PureMarket, monkeypatch: pytest.MonkeyPatch) -> str:
    """One trainer takes the strongest penalty's map in every round, and proves that it did."""
    liar, honest = market.owners[0].address, trainer_role._update

    def update(state: Any, model: Any, round_number: int, context: Any) -> Any:
        if context.address != liar:
            return honest(state, model, round_number, context)
        rows = state.secrets.load(OwnerSecrets, context).map_rows()
        p = state.request.parameters
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(OwnerSecrets, "map_rows", lambda _self: rows[:p] * len(PATH))
            return honest(state, model, round_number, context)

    monkeypatch.setattr(trainer_role, "_update", update)
    return liar


def test_a_trainer_that_takes_another_penalty_s_map_is_named_and_left_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    market = path_market(owners=5, validators=(3, 4))
    liar = by_first_map(market, monkeypatch)
    market.finish()
    dropped = {(body_of(one).participant, body_of(one).code) for one in market.sent("participant_dropped")}
    assert dropped == {(liar, "unproven_update")}
    trainers = [event.record.trainers.bit_count() for event in market.contract.recorded]
    assert trainers == [3, 2, 2], "the first round is the strongest penalty's"


def test_an_owner_that_commits_to_fewer_maps_takes_no_part(monkeypatch: pytest.MonkeyPatch) -> None:
    market = path_market(owners=5, validators=(3, 4))
    liar, honest = market.owners[0].address, commitments.commit_to

    def one_map(request: Any, *rest: Any) -> Any:
        if rest[3] == liar:
            model = request.model.model_copy(update={"l2": request.model.ridges[0]})
            request = request.model_copy(update={"model": model})
        return honest(request, *rest)

    monkeypatch.setattr(commitments, "commit_to", one_map)
    market.finish()
    assert "bad_commitment" in {violation.code for violation in market.aggregator.violations}
    assert liar not in {one.envelope.sender for one in market.sent("proven_update")}
    trainers = [event.record.trainers.bit_count() for event in market.contract.recorded]
    assert trainers == [2, 2, 2]
