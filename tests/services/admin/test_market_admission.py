"""Owners are waited for until their aggregators have admitted them."""

from contextlib import closing
from types import SimpleNamespace

import pytest

from services.admin.market_admission import not_admitted
from services.records.admissions import ADMITTED, ANSWERED, REFUSED
from services.store import Store

HERE, ELSEWHERE, REPLACED = ("0x" + digit * 40 for digit in "abc")


class Market:
    """Stands in for the control of a market whose processes run, as far as admissions ask for it."""

    def __init__(self, folder):
        self.folder = folder
        self.record = SimpleNamespace(replaced=("former",))
        self.members = [self.aggregator("aggregator", HERE), self.aggregator("former", REPLACED)]
        self.stopped = set()

    def aggregator(self, name, address):
        return SimpleNamespace(name=name, address=address, config=SimpleNamespace(daemon="aggregator"))

    def owner(self, name, *aggregators):
        config = SimpleNamespace(
            daemon="data-owner",
            aggregators=aggregators,
            store=f"sqlite:///{self.folder / name}.sqlite",
            store_password=lambda: None,
        )
        self.members.append(SimpleNamespace(name=name, config=config))
        return Store(config.store)

    def slot(self, name):
        return SimpleNamespace(pid=lambda: None if name in self.stopped else 1)


@pytest.fixture
def market(tmp_path):
    return Market(tmp_path)


@pytest.mark.parametrize("answer", [None, REFUSED])
def test_an_owner_without_its_aggregators_yes_is_named(market, answer):
    with closing(market.owner("owner", HERE)) as store:
        if answer is not None:
            store.put_value(ANSWERED + HERE, answer)
    assert not_admitted(market, 0) == ["owner"]


def test_an_owner_is_waited_for_by_the_aggregators_that_run_here_and_that_it_works_with(market):
    with closing(market.owner("owner", HERE, ELSEWHERE, REPLACED)) as store:
        store.put_value(ANSWERED + HERE, ADMITTED)
    market.owner("apart", ELSEWHERE).close()
    assert not_admitted(market, 0) == []


def test_an_owner_that_does_not_run_is_not_waited_for(market):
    market.owner("owner", HERE).close()
    market.stopped.add("owner")
    assert not_admitted(market, 0) == []


def test_an_owner_whose_daemon_has_not_made_its_store_is_waited_for(market):
    market.owner("owner", HERE).close()
    (market.folder / "owner.sqlite").unlink()
    assert not_admitted(market, 0) == ["owner"]
