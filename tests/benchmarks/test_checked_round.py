"""The benchmark of a checked round runs and tells its parties apart; how fast it is is not tested here."""

import pytest
from rich.console import Console

from protocol.crypto import powers
from tests.benchmarks import expected_products, machine
from tests.benchmarks.checked_round import RoundReport, Size, measure, show, show_products
from tests.support.groups import small_group

SMALL = Size(trainers=2, validators=2, parameters=2)


@pytest.fixture(scope="module")
def run():
    return measure(SMALL, key_bits=1024, rounds=1, group=small_group())


def test_a_round_is_timed_by_party(run):
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


def test_tables_of_more_bases_than_a_process_keeps_are_expected_in_each_partys_step(run, monkeypatch):
    for module in (powers, expected_products):
        monkeypatch.setattr(module, "MOST_KEPT_BASES", 3)
    narrow = measure(SMALL, key_bits=1024, rounds=1, group=small_group())
    for step in ("proven_metric", "zero_test_shown", "shown_metrics"):
        assert narrow.expected_products[step] > run.expected_products[step]
        assert narrow.counted_products[step] > run.counted_products[step]
        assert narrow.counted_products[step] == pytest.approx(narrow.expected_products[step], rel=0.25), step
