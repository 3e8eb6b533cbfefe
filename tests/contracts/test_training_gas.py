"""What a whole training costs follows from the measured calls, and from nothing else."""

import json

import pytest

from contracts import forge
from contracts.training_gas import (
    DOLLARS_AN_ETHER,
    GWEI_PRICES,
    OWNERS,
    ROUNDS,
    WHOLE_TRAINING,
    dollars,
    training_gas,
)

NOT_IN_A_WHOLE_TRAINING = {"cancel, the roles drawn", "claim, of a cancelled training"}
PAYERS = ("buyer", "aggregator", "owners")


@pytest.fixture
def figures():
    return json.loads(forge.FIGURES.read_text())


def test_the_document_is_what_the_figures_give(figures):
    assert forge.TABLE.read_text() == forge.table(figures), "run python contracts/forge.py --gas and commit"


def test_the_texts_tell_the_figures_that_were_measured(figures):
    page = (forge.FOLDER / "README.md").read_text()
    rounded = {name: f"{round(int(gas), -2):,}" for name, gas in figures.items()}
    assert f"of the {rounded['join, the last owner, 4 owners']} for `join`" in page
    cancel, claim = (
        rounded["cancel, the roles drawn, 256 owners"],
        rounded["claim, the first owner, 256 owners"],
    )
    told = f"settle takes {rounded['settle, 256 owners']} and to cancel {cancel} at most"
    assert told in " ".join(page.split())
    assert f"each owner pays {claim} at most" in page


def test_every_measured_call_of_a_training_is_in_the_sum():
    assert {one.name for one in WHOLE_TRAINING} == set(forge.CALLS) - NOT_IN_A_WHOLE_TRAINING
    assert {one.payer for one in WHOLE_TRAINING} == set(PAYERS)


@pytest.mark.parametrize("owners", OWNERS)
@pytest.mark.parametrize("rounds", ROUNDS)
def test_each_call_is_counted_as_often_as_it_is_made(figures, owners, rounds):
    """By owner: join, reveal, withdraw; by round: its record."""
    made = {
        "join, the last owner": owners,
        "reveal, the last owner": owners - 1,
        "claim, the last owner": owners - 1,
        "recordRound, a later one": rounds - 1,
        "withdraw": owners + 2,
    }
    for name in {one.name for one in WHOLE_TRAINING}:
        one_gas_each = dict.fromkeys(figures, "0") | {f"{name}, {owners} owners": "1"}
        assert training_gas(one_gas_each, owners, rounds) == made.get(name, 1), name
    parts = [training_gas(figures, owners, rounds, payer) for payer in PAYERS]
    assert sum(parts) == training_gas(figures, owners, rounds)


def test_money_is_gas_by_its_price_by_that_of_ether():
    assert dollars(10**9, 1) == DOLLARS_AN_ETHER
    assert dollars(21_000, 20) == pytest.approx(21_000 * 20e-9 * DOLLARS_AN_ETHER)
    assert len(GWEI_PRICES) == 3
