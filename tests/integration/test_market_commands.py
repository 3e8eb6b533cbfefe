"""A market by commands alone: set up, started, ordered from, joined by an owner, its aggregator replaced.

Chain and broker are the market's own. The orders are the samples that the commands write, with the small keys
that only these tests' daemons accept and one round.
"""

from pathlib import Path

import pytest
import yaml

from services.admin import processes
from services.admin.market_folder import CONFIG
from services.config.daemons import load
from services.identity.keystore import Cost
from tests.support.daemons.command_line import run, run_json

CHEAP = Cost(2, 1, 8192)
LAUNCH = processes.launch


@pytest.fixture
def launched(monkeypatch, forks):
    """Daemons are forked, which saves their imports; servers are launched as always."""

    def launch(slot, command, folder, environment):
        if "services.cli" not in command:
            LAUNCH(slot, command, folder, environment)
            return
        kind, _, config = command[-3:]
        slot.note(forks.start(kind, Path(config), slot.log, least_key_bits=1024).pid)

    monkeypatch.setattr(processes, "launch", launch)
    monkeypatch.setattr("services.identity.keystore.Cost", lambda: CHEAP)


def small(order):
    """The order with keys for tests and one round; where it lies."""
    document = yaml.safe_load(order.read_text())
    document["key_bits"] = 1024
    document["schedule"]["rounds"] = 1
    path = order.with_name(f"small-{order.name}")
    path.write_text(yaml.safe_dump(document))
    return path


def check_one_elsewhere(market):
    """An owner whose keys and daemon are on another machine gets what it needs there, and no keys."""
    address = "0x" + "fa" * 20
    urls = ("--chain", "https://node.example", "--broker", "amqps://broker.example:5671")
    made = run_json("admin", "market", "add-owner", market, "far", "--address", address, *urls)
    assert not made["started"]
    assert not (market / "far" / "keys").exists()
    config = load(market / "far" / CONFIG, "data-owner")
    assert config.chain.url == "https://node.example"
    assert config.broker.url.startswith(f"amqps://{address}@broker.example:5671/deltaml-")
    assert config.broker.password_file.exists()
    assert address in load(market / "aggregator" / CONFIG, "aggregator").admitted


def trainings(market, name):
    return run_json("trainings", "--config", market / name / CONFIG)


def followed(market, order):
    """A training ordered and watched to its end; its story."""
    buyer = market / "buyer" / CONFIG
    told = run("train", small(order), "--config", buyer, "--follow").stdout
    assert "finished" in told, told
    number = trainings(market, "buyer")[-1]["training"]
    return run_json("show", number, "--config", buyer)


def test_a_market_by_commands_alone(tmp_path, launched):
    market, admin = tmp_path / "market", ("admin", "market")
    try:
        run(*admin, "init", market, "--owners", 4, "--block-time", 0.2, "--confirmations", 1)
        here = {one["name"]: one for one in run_json(*admin, "start", market)}
        assert {one["state"] for one in here.values()} == {"healthy"}
        assert "buyer runs already" in run(*admin, "start", market).stdout
        followed(market, market / "buyer" / "request.yaml")

        rows = tmp_path / "rows.csv"
        rows.write_text("".join((market / "owner-2" / "rows.csv").read_text().splitlines(True)[:80]))
        clinic = run_json(*admin, "add-owner", market, "clinic", "--data", rows)
        check_one_elsewhere(market)
        second = run_json(*admin, "add-aggregator", market, "second", "--replaces", "aggregator")
        assert clinic["started"]
        assert second["started"]
        shown = followed(market, Path(second["order"]))
        (started,) = [fact["data"] for fact in shown["facts"] if fact["name"] == "started"]
        assert clinic["address"] in started["trainers"] + started["validators"]
        for name in ("aggregator", "second"):
            assert [one["state"] for one in trainings(market, name)] == ["FINISHED"]
        run(*admin, "stop", market, "aggregator")
        states = {one["name"]: one["state"] for one in run_json(*admin, "status", market)}
        assert (states.pop("aggregator"), states.pop("far")) == ("replaced", "elsewhere")
        assert set(states.values()) == {"healthy"}
    finally:
        run(*admin, "stop", market)
    states = {one["state"] for one in run_json(*admin, "status", market, status=3)}
    assert states == {"down", "replaced", "elsewhere"}
