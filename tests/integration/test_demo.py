"""A whole market in one process: the model is that of a plain training, the money adds up, nothing leaks."""

import json
import stat
from decimal import Decimal
from itertools import pairwise

import numpy as np
import pytest

from protocol.codec import unpack
from protocol.envelope import SignedMessage
from protocol.errors import ProtocolViolation
from protocol.marketplace import Credited, Opened, RoundRecorded, Settled
from protocol.messages import MESSAGE_TYPES
from protocol.terms import NATIVE
from protocol.types import seats_of
from services.data.model_file import read_model
from services.data.samples import diabetes
from services.identity.sealing import unseal
from services.observability.counters import PHASES
from services.records.model_card import ModelCard
from services.sandbox.demo import DemoOptions
from tests.support.daemons.command_line import run_json
from tests.support.daemons.watched_demo import naive_training, watched_demo

REPORT_FIELDS = [
    *("kind", "rows", "features", "owners", "trainers", "validators", "rounds", "local_steps"),
    *("method", "rho", "step_size"),
    *("key_bits", "broker", "chain", "mse_initial", "delivered_round", "mse_final"),
    "mse_plaintext_same_schedule",
    *("mse_pooled_ols", "weights_max_abs_error", "mse_by_round", "convergence"),
    *("penalties", "folds", "roles"),
    "contributions",
    *(
        "token",
        "deposit_wei",
        "paid_wei",
        "refund_wei",
        "seconds_total",
        "seconds_by_phase",
        "bytes_on_bus",
        "messages_on_bus",
    ),
    "model_file",
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("demo")


@pytest.fixture(scope="module")
def demo(folder):
    return watched_demo(
        DemoOptions(
            key_bits=1024,
            token=True,
            deposit=10**18,
            thesis=True,
            rounds=3,
            step_size=Decimal("1.5"),
            local_steps=5,
            model_out=folder / "model.json",
            card=folder / "card.json",
            folder=folder / "stores",
            transcripts=folder / "transcripts",
            workers=1,
        )
    )


@pytest.fixture(scope="module")
def model(folder, demo):
    assert demo.report.model_file is not None
    return read_model(folder / "model.json")


# ---- the figures ----


def test_the_report_has_exactly_the_promised_fields(demo):
    written = json.loads(demo.report.model_dump_json())
    assert list(written) == REPORT_FIELDS
    assert (written["rows"], written["features"], written["owners"]) == (442, 10, 5)
    assert (written["trainers"], written["validators"]) == (3, 2)
    assert (written["rounds"], written["local_steps"], written["step_size"]) == (3, 5, 1.5)
    assert (written["key_bits"], written["broker"], written["chain"]) == (1024, "memory", "embedded")
    assert list(written["seconds_by_phase"]) == list(PHASES)
    assert all(seconds > 0 for seconds in written["seconds_by_phase"].values())
    for name in ("deposit_wei", "refund_wei"):
        assert written[name].isdigit()
    assert all(wei.isdigit() for wei in written["paid_wei"].values())


def test_the_model_is_that_of_the_plain_training(demo, model):
    weights, _errors = naive_training(demo, np.zeros(11))
    bought = np.array([*model.weights, model.intercept])
    assert np.abs(bought - weights).max() < 1e-6
    assert demo.report.weights_max_abs_error < 1e-6


def test_every_rounds_error_is_that_of_the_plain_training(demo):
    _weights, errors = naive_training(demo, np.zeros(11))
    assert demo.report.mse_by_round == pytest.approx(errors, rel=1e-5)
    assert len(demo.report.mse_by_round) == 4
    assert demo.report.mse_initial == demo.report.mse_by_round[0]
    assert demo.report.mse_final == demo.report.mse_by_round[demo.report.delivered_round]
    delivered = errors[demo.report.delivered_round]
    assert demo.report.mse_plaintext_same_schedule == pytest.approx(delivered, rel=1e-9)
    trainers, validators = (np.vstack(parts) for parts in demo.rows())
    pooled, *_ = np.linalg.lstsq(trainers[:, :-1], trainers[:, -1])
    least = np.mean((validators[:, :-1] @ pooled - validators[:, -1]) ** 2)
    assert demo.report.mse_pooled_ols == pytest.approx(least, rel=1e-9)


def test_the_card_says_what_the_report_says(demo, folder):
    card = ModelCard.model_validate_json((folder / "card.json").read_bytes(), strict=False)
    assert [one.mse for one in card.rounds] == pytest.approx(demo.report.mse_by_round)
    told, expected = card.convergence, demo.report.convergence
    assert (told.ended, told.has_converged) == (expected.ended, expected.has_converged)
    assert told.last_gain == pytest.approx(expected.last_gain)
    paid = {one.address: one.pay_wei for one in card.participants}
    assert paid == demo.report.paid_wei
    assert card.market is not None


# ---- the money ----


def test_the_deposit_is_paid_or_refunded_to_the_unit(demo):
    paid = {account: int(wei) for account, wei in demo.report.paid_wei.items()}
    assert sum(paid.values()) + int(demo.report.refund_wei) == int(demo.report.deposit_wei) == 10**18
    (settled,) = demo.of(Settled)
    rest = settled.paid - sum(paid.values())  # of dividing the contribution
    assert 0 <= rest == int(demo.report.refund_wei) - settled.refund < len(demo.report.contributions)
    parties = {party.identity.address for party in (demo.market.aggregator, *demo.market.owners)}
    assert set(paid) == parties
    assert all(paid.values())


def test_everybody_has_withdrawn_in_the_token(demo):
    buyer, minted = demo.market.buyer.identity.address, 100 * 10**18
    pay = {account: int(amount) for account, amount in demo.report.paid_wei.items()}
    assert demo.report.token == demo.market.token != NATIVE
    rest = demo.market.owed[buyer]  # of dividing the contribution, from the last claim
    assert rest < len(demo.report.contributions)
    assert demo.market.held == {**pay, buyer: minted - sum(pay.values()) - rest}
    assert demo.market.owed == {**dict.fromkeys(pay, 0), buyer: rest}
    assert demo.market.escrow == 0


def test_contributions_add_up_to_each_rounds_improvement(demo):
    rounds = demo.of(RoundRecorded)
    assert [event.round for event in rounds] == [1, 2, 3]
    for event in rounds:
        trainers = len(seats_of(event.record.trainers))
        assert len(event.shapley) == trainers
        assert abs(sum(event.shapley) - (event.record.mse_before - event.mse_after)) <= trainers
    for earlier, later in pairwise(rounds):
        assert later.record.mse_before == earlier.mse_after


def test_contributions_are_the_shares_of_the_pot(demo):
    shares = demo.report.contributions
    assert sum(shares.values()) == pytest.approx(1)
    pot = {event.account: event.amount for event in demo.of(Credited) if event.share == "contribution"}
    assert set(pot) == set(shares)
    for account, amount in pot.items():
        assert amount / sum(pot.values()) == pytest.approx(shares[account], abs=1e-12)


# ---- the daemons ----


def test_every_party_has_finished(demo):
    assert [row.display_status for row in demo.instances] == ["FINISHED"] * 7
    assert all(row.finished for row in demo.instances)
    (opened,) = demo.of(Opened)
    assert {row.training for row in demo.instances} == {opened.training}


def test_honest_parties_give_no_reason_for_dead_letters_or_violations(demo):
    assert demo.market.broker.dead_letters == []
    named = {name for name, _data, _at in demo.market.facts}
    assert {"opened", "started", "round_recorded", "settled", "finished"} <= named
    assert not named & {"violation", "undeliverable", "implausible", "dropped", "input_dropped", "gave_up"}


def test_a_round_is_trained_while_the_one_before_is_measured(demo):
    order = [(message.envelope.type, message.envelope.round) for message in demo.wire]
    for number in (1, 2):
        assert order.index(("encrypted_model", number + 1)) < order.index(("opening", number))


# ---- what others can see ----


def test_what_crosses_the_bus_is_sealed_to_its_recipient(demo):
    identities = demo.identities
    assert {message.envelope.type for message in demo.wire} >= {
        "training_request",
        "invitation",
        "encrypted_model",
        "proven_metric",
        "trained_model",
    }
    strangers = list(identities.values())
    for number, message in enumerate(demo.wire):
        opened = unseal(message.sealed, identities[message.envelope.recipient].exchange_secret)
        signed = SignedMessage.from_parts(message.envelope, opened)
        signed.verify(demo.market.buyer.client.market)
        unpack(MESSAGE_TYPES[message.envelope.type], signed.body)
        assert message.envelope.type.encode() in signed.body
        for hidden in (signed.body[:24], signed.body[-24:], signed.signature):
            assert hidden not in message.sealed
        other = strangers[number % len(strangers)]
        if other.address != message.envelope.recipient:
            with pytest.raises(ProtocolViolation, match="not_sealed_to_me"):
                unseal(message.sealed, other.exchange_secret)


def test_the_traffic_is_counted(demo):
    assert demo.report.messages_on_bus == len(demo.wire)
    assert demo.report.bytes_on_bus == sum(len(message.sealed) for message in demo.wire)


def test_facts_are_public(demo, model):
    """No weight, no row, no mask: facts are shown to people and logged."""
    for name, data, _at in demo.market.facts:
        for leaf in leaves(data):
            assert isinstance(leaf, (str, int, bool)), (name, leaf)
    text = json.dumps([data for _name, data, _at in demo.market.facts])
    for weight in (*model.weights, model.intercept):
        assert f"{abs(weight):.4f}"[:6] not in text
    content = demo.market.keys.paillier(demo.market.rows[demo.market.buyer.identity.address][0].key, 1024)
    assert content.hex()[:16] not in text


def leaves(value):
    """The values at the ends of nested lists and mappings."""
    if isinstance(value, dict):
        value = list(value.values())
    return [leaf for item in value for leaf in leaves(item)] if isinstance(value, list) else [value]


def test_the_stores_and_the_model_are_their_owners_alone(demo, folder):
    files = list((folder / "stores").iterdir())
    for party in demo.market.parties:
        role, address = party.runtime.role.name, party.identity.address
        assert folder / "stores" / f"{role}-{address[2:10]}.sqlite" in files
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    assert stat.S_IMODE((folder / "stores").stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / "model.json").stat().st_mode) == 0o600


def test_every_party_keeps_a_transcript_that_verifies(demo, folder):
    files = sorted((folder / "transcripts").iterdir())
    assert [file.name.split("-")[0] for file in files] == [
        *["data_owner"] * 5,
        "federated_aggregator",
        "model_buyer",
    ]
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    for file in files:
        assert run_json("verify", "1", "--transcript", file, "--jobs", 1)["failure"] is None


# ---- other data ----


def test_a_csv_file_with_its_target_in_the_middle_from_the_mean(tmp_path):
    generator = np.random.default_rng(3)
    age, income = generator.uniform(-1, 1, 60), generator.uniform(0, 1, 60)
    price = 3 * age - 2 * income + 7 + generator.normal(0, 0.1, 60)
    lines = [
        f"{a!r},{p!r},{i!r}" for a, p, i in zip(age.tolist(), price.tolist(), income.tolist(), strict=True)
    ]
    (tmp_path / "prices.csv").write_text("\n".join(["age,price,income", *lines]))
    demo = watched_demo(
        DemoOptions(
            key_bits=1024,
            thesis=True,
            rounds=2,
            local_steps=4,
            owners=4,
            step_size=Decimal("0.25"),
            start="mean",
            data=tmp_path / "prices.csv",
            target="price",
            model_out=tmp_path / "model.json",
            workers=0,
        )
    )
    model = read_model(tmp_path / "model.json")
    assert (model.features, model.target) == (("age", "income"), "price")
    weights, errors = naive_training(demo, np.array([0.0, 0.0, float(f"{price.mean():.6g}")]))
    assert np.abs(np.array([*model.weights, model.intercept]) - weights).max() < 1e-6
    assert demo.report.mse_by_round == pytest.approx(errors, rel=1e-5)
    assert demo.report.mse_initial == pytest.approx(price.var(), rel=0.5)
    assert (demo.report.rows, demo.report.features, demo.report.owners) == (60, 2, 4)
    assert [row.display_status for row in demo.instances] == ["FINISHED"] * 6


def test_a_checked_market_ends_in_the_plain_model_and_withdrawn_pay(tmp_path):
    file, (_names, rows) = tmp_path / "rows.csv", diabetes()
    np.savetxt(file, rows[:, [2, 3, -1]], delimiter=",", header="bmi,bp,target", comments="")
    ran = watched_demo(DemoOptions(data=file, rounds=1, owners=4, key_bits=1024, workers=0))
    assert ran.report.weights_max_abs_error < 1e-6
    assert ran.market.escrow == 0
    assert sum(ran.market.owed.values()) < len(ran.report.contributions)  # the rest of dividing them
    assert min(ran.report.seconds_by_phase[name] for name in ("training", "refresh", "metric", "opening")) > 0
