"""`deltaml market`: what is on offer, as a buyer's daemon was told."""

import time

import pytest
import yaml

from protocol.messages import CardsOrder
from protocol.messages.examples import any_request
from services.config.daemons import load
from services.records.offers import Asking, asking_value
from services.records.order_answers import ACCEPTED, OrderAnswer
from services.store import Store
from tests.support.daemons.command_line import refused, run, run_json
from tests.support.daemons.offers import OWNERS, OfferMarket, card
from tests.support.daemons.order_answers import answered_orders

OTHER = "0x" + "a2" * 20


class Buyer:
    """A buyer's configuration and store, and what its aggregator would tell."""

    def __init__(self, folder, monkeypatch):
        self.market = OfferMarket()
        for owner in OWNERS[:3]:
            self.market.announce(owner, card("one", licence="[free]"))
        self.market.announce(OWNERS[3], card("short", columns=card().columns[:2]))
        self.market.ask()
        self.aggregator = self.market.hub.address
        self.config = folder / "config.yaml"
        self.configure(self.aggregator)
        Store(load(self.config).store).close()
        self.request = folder / "request.yaml"
        asked = any_request().model_dump(mode="json") | {"aggregator": self.aggregator}
        self.request.write_text(yaml.safe_dump(asked))
        self.orders = answered_orders(monkeypatch, OrderAnswer(ACCEPTED), then=self.tell)
        self.is_silent = False

    def configure(self, *aggregators, names=None):
        document = {
            "daemon": "model-buyer",
            "broker": {"url": "amqp://party@127.0.0.1:5672/deltaml"},
            "chain": {"url": "http://127.0.0.1:8545", "chain_id": 31337, "contract": "0x" + "c0" * 20},
            "keystore": "keys",
            "passphrase_file": "passphrase",
            "aggregators": list(aggregators),
            "names": names or {},
        }
        self.config.write_text(yaml.safe_dump(document))

    def tell(self, store, message_id):
        """What the daemon's store holds once the order is carried out."""
        for name, content in self.market.store.values("told:").items():
            store.put_value(f"told:{name}", content)
        now = int(time.time())
        asking = Asking(order=message_id, asked_at=now, told_at=None if self.is_silent else now)
        for name, content in asking_value(self.orders[-1].aggregators[0], asking).items():
            store.put_value(name, content)


@pytest.fixture
def buyer(tmp_path, monkeypatch):
    made = Buyer(tmp_path, monkeypatch)
    yield made
    made.market.close()


def test_match_tells_how_many_owners_a_request_would_reach_and_why_not_more(buyer):
    told = run_json("market", "match", buyer.request, "--config", buyer.config, status=1)
    assert buyer.orders == [CardsOrder(aggregators=(buyer.aggregator,))]
    assert (told["owners"], told["reached"], told["is_enough"]) == (4, list(OWNERS[:3]), False)
    assert [one["reasons"] for one in told["data_sets"] if not one["serves"]] == [["no column 'progression'"]]
    shown = run("market", "match", buyer.request, "--config", buyer.config, status=1).stdout
    assert "would reach 3 of 4 owners; it needs 4: too few list data that serve it" in shown
    assert len(buyer.orders) == 1, "what was told within a minute is not asked for again"


def test_cards_and_columns_are_shown_as_they_were_told(buyer):
    told = run_json("market", "cards", "--config", buyer.config)
    assert [one["owner"] for one in told] == list(OWNERS[:4])
    assert told[3]["hash"] == card("short", columns=card().columns[:2]).hash().hex()
    assert told[3]["card"]["columns"][0]["name"] == "age"
    assert "[free]" in run("market", "cards", "--config", buyer.config).stdout
    columns = run_json("market", "columns", "--config", buyer.config)
    assert [(one["column"], one["owners"]) for one in columns] == [("age", 4), ("bmi", 4), ("progression", 3)]
    assert (columns[0]["minimum"], columns[0]["maximum"], columns[0]["unit"]) == ("18", "90", "years")
    assert "years" in run("market", "columns", "--config", buyer.config).stdout


def test_another_aggregator_is_asked_instead(buyer):
    run("market", "match", buyer.request, "--config", buyer.config, "--aggregator", OTHER, status=1)
    assert buyer.orders == [CardsOrder(aggregators=(OTHER,))]


def test_with_stored_nobody_is_asked(buyer):
    result = run("market", "cards", "--config", buyer.config, "--stored")
    assert buyer.orders == []
    assert f"{buyer.aggregator} was never asked" in result.stderr


def test_of_a_silent_aggregator_it_is_said_and_what_it_told_before_is_shown(buyer):
    buyer.is_silent = True
    result = run("market", "cards", "--config", buyer.config, "--wait", "0.1")
    assert "has not told all since" in result.stderr
    assert OWNERS[0] in result.stdout


def test_parties_have_the_names_that_the_configuration_gives_them(buyer):
    buyer.configure(names={OTHER: "Hub [two]", OWNERS[0]: "Clinic [north]"})
    run("market", "cards", "--config", buyer.config, "--aggregator", "Hub [two]")
    assert buyer.orders == [CardsOrder(aggregators=(OTHER,))]
    shown = run("market", "match", buyer.request, "--config", buyer.config, status=1).stdout
    assert "Clinic [north]" in shown


def test_an_aggregator_must_be_named_and_be_an_address(buyer):
    assert "'nearby' is no address" in refused(
        "market", "cards", "--config", buyer.config, "--aggregator", "nearby"
    )
    buyer.configure()
    assert "no aggregator is named" in refused("market", "columns", "--config", buyer.config)
