"""Amounts as options take them, and as commands print them."""

import json

import pytest

from services.cli.amounts import money
from tests.support.daemons.command_line import refused, run, run_json
from tests.support.tables import HOUSES, houses, write_csv


@pytest.fixture
def suggest(tmp_path):
    sample = write_csv(tmp_path / "houses.csv", HOUSES, houses(60))
    return ("request", "suggest", sample, "--target", "price", "--deposit")


@pytest.mark.parametrize(
    ("text", "wei"),
    [
        ("0.1 ETH", 10**17),
        ("0.1eth", 10**17),
        ("5 gwei", 5 * 10**9),
        ("100000000 wei", 10**8),
        ("100000000", 10**8),
    ],
)
def test_an_option_takes_an_amount_with_its_unit_and_a_plain_number_counts_wei(suggest, text, wei):
    assert run_json(*suggest, text)["request"]["payment"]["deposit_wei"] == str(wei)


@pytest.mark.parametrize("text", ["0.1", "much", "1 btc", "-1", ""])
def test_what_is_no_amount_is_refused_with_the_option_and_examples(suggest, text):
    said = refused(*suggest, text)
    assert f"--deposit {text!r} is not a whole number of wei" in said
    assert "like 0.1 ETH, 5 gwei, 100 wei" in said


def test_amounts_beyond_what_there_is_are_refused(suggest):
    assert "is not between 0 and 1000000000 ETH" in refused(*suggest, "2000000000 ETH")


def test_without_an_option_its_default_is_told_in_whole_units(suggest):
    assert "1 ETH" in run("request", "suggest", "--help").stdout
    found = run_json(*suggest[:-1])
    assert found["request"]["payment"]["deposit_wei"] == str(10**18)


def test_amounts_are_printed_in_whole_units_or_on_demand_in_wei():
    assert money(15 * 10**17) == "1.5 ETH"
    assert money(15 * 10**17, wei=True) == "1500000000000000000 wei"


def test_a_card_tells_its_least_pay_in_either_unit_and_programs_get_wei(tmp_path):
    rows = tmp_path / "clinic.csv"
    rows.write_text("a,b\n1,2\n2,3\n")
    catalogue = ("--catalogue", tmp_path / "catalogue")
    run("datasets", "add", rows, "--least-pay", "0.02 ETH", *catalogue)
    assert "least pay  0.02 ETH\n" in run("datasets", "card", "clinic", *catalogue).stdout
    assert (
        "least pay  20000000000000000 wei\n" in run("datasets", "card", "clinic", "--wei", *catalogue).stdout
    )
    shown = json.loads(run("datasets", "card", "clinic", "--json", *catalogue).stdout)
    assert shown["least_pay_wei"] == "20000000000000000"
