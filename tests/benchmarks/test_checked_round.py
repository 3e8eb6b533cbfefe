"""The benchmark of a checked round runs and tells its parties apart; how fast it is is not tested here."""

import pytest
from rich.console import Console

from tests.benchmarks import machine
from tests.benchmarks.checked_round import RoundReport, Size, measure, show, show_products
from tests.support.groups import small_group

SMALL = Size(trainers=2, validators=2, parameters=2)


def test_a_round_is_timed_by_party():
    run = measure(SMALL, key_bits=1024, rounds=1, group=small_group())
    assert set(run.milliseconds) == {"trainer", "aggregator", "checker", "validator", "buyer", "all"}
    parties = {kind: spent for kind, spent in run.milliseconds.items() if kind != "all"}
    assert {kind for kind, spent in parties.items() if spent == 0} == {"validator"}, "both are checkers"
    assert max(parties.values()) < run.milliseconds["all"] < 6 * max(parties.values())
    console = Console(record=True, width=200)
    show(RoundReport(machine=machine.describe(), key_bits=1024, runs=[run]), console)
    show_products(RoundReport(machine=machine.describe(), key_bits=1024, runs=[run]), console)
    assert console.export_text().count("2, 2, 2") == 2
    assert set(run.counted_products) == set(run.expected_products)
    assert sum(run.counted_products.values()) == pytest.approx(sum(run.expected_products.values()), rel=0.25)
