"""Whom a buyer asks what is on offer, and who has answered."""

import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from protocol.messages.market import MOST_AGGREGATORS
from services.common.errors import ConfigurationError
from services.records.offer_answers import chosen_aggregators, have_answered, silent, to_be_asked
from services.records.offers import FRESH_SECONDS, Asking, asking_value
from services.store import Store

NEW, OLD, SILENT, UNKNOWN = (f"0x{number:040x}" for number in range(1, 5))
ORDER, OTHER = b"a" * 16, b"b" * 16


@pytest.fixture
def store():
    made = Store()
    now = int(time.time())
    askings = {
        NEW: Asking(order=ORDER, asked_at=now, told_at=now + 3600),
        OLD: Asking(order=ORDER, asked_at=now, told_at=int(now - FRESH_SECONDS - 3600)),
        SILENT: Asking(order=ORDER, asked_at=now),
    }
    for aggregator, asking in askings.items():
        for name, content in asking_value(aggregator, asking).items():
            made.put_value(name, content)
    yield made
    made.close()


def test_those_are_asked_that_have_not_answered_lately(store):
    assert to_be_asked(store, (NEW, OLD, SILENT, UNKNOWN)) == (OLD, SILENT, UNKNOWN)


def test_an_answer_is_that_to_the_order(store):
    assert have_answered(store, (NEW, OLD), ORDER)
    assert not have_answered(store, (NEW, OLD), OTHER)
    assert not have_answered(store, (NEW, SILENT), ORDER)


def test_those_are_silent_that_have_told_nothing_or_not_all(store):
    assert silent(store, (NEW, OLD, SILENT, UNKNOWN)) == (SILENT, UNKNOWN)


def test_aggregators_are_named_by_address_or_as_the_configuration_has_them():
    settings = SimpleNamespace(names={OLD: "Hub"})

    def chosen(*wanted, by_default=()):
        return chosen_aggregators(settings, wanted, by_default, Path("buyer.yaml"))

    assert chosen("Hub", NEW.upper().replace("X", "x"), "Hub") == (OLD, NEW)
    assert chosen(by_default=[SILENT]) == (SILENT,)
    with pytest.raises(ConfigurationError, match=r"'nearby' is no address, .*, nor a name in buyer.yaml"):
        chosen("nearby")
    with pytest.raises(ConfigurationError, match=r"name one, or list aggregators in buyer.yaml"):
        chosen()
    with pytest.raises(ConfigurationError, match=f"at most {MOST_AGGREGATORS} at once"):
        chosen(*(f"0x{number:040x}" for number in range(MOST_AGGREGATORS + 1)))
