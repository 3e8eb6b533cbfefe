"""The runbook's procedures, run as they stand there on one market; a training shows what became of it."""

import json
import os
import secrets
import signal
import time
from decimal import Decimal
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from services.admin import processes
from services.admin.market_admission import wait_until_admitted
from services.admin.market_folder import CONFIG
from services.admin.market_process import members
from services.admin.market_servers import free_ports
from services.cli import app
from services.identity.keystore import Cost
from tests.support.chain.anvil import running_anvil
from tests.support.daemons.command_line import run, run_json
from tests.support.deployment.procedure import Operator, commands, procedures

PAGE = "RUNBOOK.md"
CHEAP = Cost(2, 1, 8192)
LAUNCH = processes.launch
SECONDS = 120.0
WORKS = {"status": "ok", "doing": "works"}
"""What a daemon says of itself, beside what it computes by."""


class Place(Operator):
    """The operator of a market in `market`, whose daemons are forked."""

    def __init__(self, folder, forks):
        super().__init__(folder, self.start)
        self.forks, self.pids = forks, {}

    def start(self, kind, config):
        log = config.with_suffix(".log")
        self.pids[config] = self.forks.start(kind, config, log, least_key_bits=512).pid

    def config(self, name):
        return self.folder / "market" / name / CONFIG

    def health(self, config):
        """What a daemon's /health says; nothing while it starts."""
        done = CliRunner().invoke(app, ["health", "--config", str(config)])
        return json.loads(done.stdout) if done.exit_code == 0 else {}

    def until(self, condition):
        end = time.monotonic() + SECONDS
        while not condition():
            assert time.monotonic() < end
            time.sleep(0.1)

    def trained(self):
        """A training with everybody who is there, ended; its story at the buyer."""
        record = yaml.safe_load((self.folder / "market" / "market.yaml").read_text())
        order = self.config("buyer").with_name(record["order"])
        document = yaml.safe_load(order.read_text())
        document["key_bits"], document["schedule"]["rounds"] = 1024, 1
        for column in (*document["features"], document["target"]):
            low, high = Decimal(column["minimum"]), Decimal(column["maximum"])
            # Cards that are made of rows are rounded outwards.
            column |= {"minimum": str(2 * low - high), "maximum": str(2 * high - low)}
        document["owners"] = dict.fromkeys(("minimum", "maximum"), 4 + ("ADDRESS" in self.variables))
        order.write_text(yaml.safe_dump(document))
        # The second organisation is in a folder beside the market's.
        everybody = [*members(self.folder / "market"), *members(self.folder)]
        owners = [one for one in everybody if one.is_here and one.config.daemon == "data-owner"]
        assert wait_until_admitted(owners, [document["aggregator"]], SECONDS) == []
        told = run("train", order, "--config", self.config("buyer"), "--follow").stdout
        assert "finished" in told, told
        number = run_json("trainings", "--config", self.config("buyer"))[-1]["training"]
        return run_json("show", number, "--config", self.config("buyer"))


@pytest.fixture(scope="module")
def place(tmp_path_factory, rabbitmq, forks):
    folder = tmp_path_factory.mktemp("operator")
    password = folder / "administrator"
    password.touch(mode=0o600)
    password.write_text(rabbitmq.password)
    made = Place(folder, forks)
    ports = free_ports(12_000 + secrets.randbelow(18_000), 40).start  # below those of outgoing connections

    def launch(slot, command, _folder, _environment):
        kind, _, config = command[-3:]
        slot.note(forks.start(kind, Path(config), slot.log, least_key_bits=512).pid)

    with running_anvil("--block-time", "0.2") as node, pytest.MonkeyPatch.context() as patch:
        patch.setattr(processes, "launch", launch)
        patch.setattr("services.identity.keystore.Cost", lambda: CHEAP)
        made.variables |= {"NODE": node, "BROKER": rabbitmq.amqp_url}
        run(
            *("admin", "market", "init", folder / "market", "--chain", node, "--broker", rabbitmq.amqp_url),
            *("--broker-management", rabbitmq.management_url, "--administrator", rabbitmq.user),
            *("--administrator-password-file", password, "--vhost", f"runbook-{secrets.token_hex(4)}"),
            *("--owners", 4, "--confirmations", 1, "--metrics-port", ports, "--console-port", ports + 20),
        )
        run("admin", "market", "start", folder / "market")
        yield made
        for pid in made.pids.values():
            os.kill(pid, signal.SIGTERM)
        run("admin", "market", "stop", folder / "market")


@pytest.fixture(scope="module")
def clinic(place):
    """The configuration of an organisation that has joined."""
    rows = place.config("owner-2").with_name("rows.csv").read_text().splitlines(keepends=True)
    (place.folder / "rows.csv").write_text("".join(rows[:80]))
    place.follow(PAGE, "### A second organisation joins")
    return place.folder / "clinic" / CONFIG


def secret(path):
    """What a secret's file holds; nobody else may read it."""
    assert path.stat().st_mode & 0o077 == 0
    return path.read_text()


def test_change_a_passphrase(place):
    file = place.config("owner-1").with_name("passphrase")
    before = secret(file)
    place.follow(PAGE, "### Change a passphrase")
    assert secret(file) != before
    assert place.health(place.config("owner-1"))["status"] == "ok"


def test_change_an_exchange_key(place):
    keys = place.config("owner-1").with_name("keys")
    before = run_json("keys", "show", "--keystore", keys)["exchange_key"]
    place.follow(PAGE, "### Change an exchange key")
    assert run_json("keys", "show", "--keystore", keys)["exchange_key"] != before


def test_change_a_broker_password(place):
    file = place.config("owner-1").with_name("broker-password")
    before = secret(file)
    place.follow(PAGE, "### Change a broker password")
    assert "another password" in place.printed["admin broker"]
    assert secret(file) != before
    assert place.health(place.config("owner-1"))["status"] == "ok"


def test_change_a_signing_key(place):
    place.follow(PAGE, "### Change a signing key")
    assert place.health(place.config("owner-2")) == {}
    run("admin", "market", "start", place.folder / "market", "owner-2")


def test_a_full_disk(place):
    place.follow(PAGE, "### A full disk")
    assert "sound" in place.printed["admin store"]
    assert (place.folder / "larger" / "state.sqlite").exists()
    assert place.health(place.config("owner-1"))["status"] == "ok"


def test_a_second_organisation_joins(place, clinic):
    admitted = yaml.safe_load(place.config("aggregator").read_text())["admitted"]
    assert place.variables["ADDRESS"] in admitted
    place.until(lambda: place.health(clinic).items() >= WORKS.items())


def test_replace_an_aggregator(place, clinic):
    place.follow(PAGE, "### Replace an aggregator")
    assert place.health(place.config("aggregator")) == {}
    assert place.health(place.config("second"))["status"] == "ok"
    second = run_json("keys", "show", "--keystore", place.config("second").with_name("keys"))["address"]
    assert yaml.safe_load(clinic.read_text())["aggregators"] == [second]
    place.until(lambda: place.health(clinic).items() >= WORKS.items())


def test_restore_from_a_backup(place):
    """After a training with everybody that came, and with every key that was changed."""
    story = place.trained()
    (started,) = [fact["data"] for fact in story["facts"] if fact["name"] == "started"]
    if "ADDRESS" in place.variables:
        assert place.variables["ADDRESS"] in started["trainers"] + started["validators"]
    place.follow(PAGE, "### Restore from a backup")
    (after,) = run_json("trainings", "--config", place.config("buyer"))
    assert after["state"] == "FINISHED"
    assert run_json("show", after["training"], "--config", place.config("buyer"))["facts"] == story["facts"]


def test_every_procedure_has_its_test():
    tests = {name.removeprefix("test_") for name in globals() if name.startswith("test_")}
    headings = procedures(PAGE)
    assert len(headings) >= 8
    for heading in headings:
        assert heading.lower().replace(" ", "_") in tests
        assert list(commands(PAGE, f"### {heading}")), f"{heading} has no command"
