"""`deltaml earnings` and what `show` tells of money: one account, whoever asks."""

import csv
import io
import stat
from contextlib import closing
from pathlib import Path

import pytest

import deltaml
from protocol.marketplace import Credited, Settled, Withdrawn
from services.records.chain_facts import record_key, record_of
from tests.deltaml.participant_files import participant
from tests.support.console.trainings import BUYER, finished_training, running_training, tell
from tests.support.daemons.command_line import refused, run, run_json
from tests.support.daemons.service_world import event_of
from tests.support.database.stores import offered, writes
from tests.support.roles.states import state_of, stored

SAMPLES = Path(__file__).parents[3] / "deploy" / "config"
ETHER = 10**18


class Party:
    """A party's configuration, address and store, and what the chain says of its money."""

    def __init__(self, folder, kind):
        self.config, self.address, self.store = participant(folder, kind)

    def credited(self, training, **shares):
        for share, amount in shares.items():
            tell(
                self.store,
                training,
                Credited(training=training, account=self.address, share=share, amount=amount),
            )
        tell(self.store, training, Settled(training=training, improvement=1, paid=1, refund=0))

    def withdrew(self, amount):
        fact = record_of(event_of(Withdrawn(account=self.address, amount=amount), 99))
        self.store.note_once(record_key(None), *fact, 1_702_000_000.0)

    def knows(self, training, shown="FINISHED"):
        state = state_of("data_owner", training=training, phase="waiting")
        done = writes(
            training=training,
            state=stored(state),
            display_status=shown,
            finished=shown == "FINISHED",
        )
        item = offered(self.store, bytes([training]) * 32, str(training))
        self.store.write_step(item, done, 1_700_000_000.0)


@pytest.fixture
def owner(tmp_path):
    made = Party(tmp_path, "data-owner")
    yield made
    made.store.close()


@pytest.fixture
def paid_owner(owner):
    owner.credited(7, contribution=ETHER // 4, participation=ETHER // 100)
    owner.credited(8, validation=ETHER // 10)
    owner.withdrew(ETHER // 10)
    for training, shown in ((7, "FINISHED"), (8, "FINISHED"), (9, "IN_PROGRESS")):
        owner.knows(training, shown)
    return owner


def test_an_owner_is_told_what_it_earned_for_what_and_what_waits(paid_owner):
    told = run("earnings", "--config", paid_owner.config).stdout
    assert (
        "earned 0.36 ETH in 2 trainings: contribution 0.25 ETH, participation 0.01 ETH, validation 0.1"
        in told
    )
    assert "withdrawn: 0.1 ETH; credited and not withdrawn: 0.26 ETH (deltaml withdraw --config" in told
    months = run("earnings", "--config", paid_owner.config, "--by", "month").stdout
    assert [month in months for month in ("2023-11", "2023-12", "2023-10")] == [True, True, False]
    document = run_json("earnings", "--config", paid_owner.config)
    assert (document["earned_wei"], document["credit_wei"]) == (
        str(36 * ETHER // 100),
        str(26 * ETHER // 100),
    )
    assert {one["training"]: one["earned_wei"] for one in document["trainings"]} == {
        7: str(26 * ETHER // 100),
        8: str(ETHER // 10),
    }
    assert [one["month"] for one in document["months"]] == ["2023-12", "2023-11"]


def test_show_tells_an_owner_the_same(paid_owner):
    listed = run("show", "--config", paid_owner.config).stdout
    assert "earned 0.36 ETH in 2 trainings" in listed
    assert "0.26 ETH" in listed
    for training, told in (
        ("7", "earned 0.26 ETH: contribution 0.25 ETH, participation 0.01 ETH"),
        ("9", "nothing is earned yet: pay is credited when the training is settled"),
    ):
        assert told in run("show", training, "--config", paid_owner.config).stdout
    found = {one["training"]: one["earned_wei"] for one in run_json("show", "--config", paid_owner.config)}
    assert found[8] == {"contribution": "0", "participation": "0", "validation": str(ETHER // 10)}


def test_who_may_read_the_store_alone_is_shown_the_trainings(paid_owner, tmp_path):
    (tmp_path / "data-owner-keys").rename(tmp_path / "elsewhere")
    listed = run("show", "--config", paid_owner.config)
    assert "what was earned is not shown: " in listed.stderr
    assert "IN_PROGRESS" in listed.stdout


def test_who_has_earned_nothing_is_told_when_pay_comes(owner):
    told = run("earnings", "--config", owner.config)
    assert told.stdout == "nothing is earned yet: pay is credited when a training is settled\n"
    listed = run("show", "--config", owner.config)
    assert "no training yet" in listed.stderr
    assert "nothing is earned yet" in listed.stdout


def test_the_file_is_the_packages_own_and_private(paid_owner, tmp_path):
    out = tmp_path / "earnings.csv"
    result = run("earnings", "--config", paid_owner.config, "--csv", out)
    assert "4 movements are in" in result.stderr
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    rows = list(csv.DictReader(io.StringIO(out.read_text())))
    assert sum(int(row["amount_units"]) for row in rows if row["kind"] == "credited") == 36 * ETHER // 100
    assert all(row["time"].endswith("Z") and len(row["transaction"]) == 66 for row in rows)
    with deltaml.connect(paid_owner.config) as party:
        assert party.earnings_csv() == out.read_text()
        assert party.earnings().by_training()[8].earned == ETHER // 10
    assert "add --force" in refused("earnings", "--config", paid_owner.config, "--csv", out)
    run("earnings", "--config", paid_owner.config, "--csv", out, "--force")


TOKEN = "0x" + "70" * 20


def in_token(owner, training, amount):
    credit = {"account": owner.address, "share": "validation", "amount": str(amount), "training": training}
    opened = {
        "training": training,
        "buyer": BUYER,
        "aggregator": BUYER,
        "deposit": str(amount),
        "token": TOKEN,
    }
    owner.store.note(record_key(training), ("Opened", opened), 1_701_000_000.0)
    owner.store.note(record_key(training), ("Credited", credit | {"token": TOKEN}), 1_702_000_000.0)


def test_what_is_paid_in_a_token_is_told_apart(paid_owner):
    """Nobody's word but the configuration says how many decimals it has."""
    in_token(paid_owner, 11, 2_500_000)
    paid_owner.knows(11)
    told = run("earnings", "--config", paid_owner.config).stdout
    assert "earned 0.36 ETH in 2 trainings" in told
    assert f"earned 2500000 units of token {TOKEN} in 1 training" in told
    assert f"deltaml withdraw --config {paid_owner.config} --token {TOKEN}" in " ".join(told.split())
    configured = paid_owner.config.read_text()
    known = f'tokens: [{{address: "{TOKEN}", symbol: TEST, decimals: 6}}]'
    paid_owner.config.write_text(f"{configured}\n{known}\n")
    assert "earned 2.5 TEST in 1 training" in run("earnings", "--config", paid_owner.config).stdout
    assert "earned 2.5 TEST: validation 2.5 TEST" in run("show", "11", "--config", paid_owner.config).stdout
    document = run_json("earnings", "--config", paid_owner.config)
    assert document["earned_wei"] == str(36 * ETHER // 100)
    assert (document["tokens"][TOKEN]["earned_units"], document["tokens"][TOKEN]["symbol"]) == (
        "2500000",
        "TEST",
    )


def test_an_aggregators_pay_is_one_share(tmp_path):
    with closing(Party(tmp_path, "aggregator").store) as store:
        assert run_json("earnings", "--config", tmp_path / "aggregator.yaml")["shares_wei"] == {
            "aggregation": "0"
        }
        assert store.facts_named("Credited") == []


def test_a_buyer_is_told_what_it_spent_and_what_runs(tmp_path, monkeypatch):
    party = Party(tmp_path, "model-buyer")
    monkeypatch.setattr("tests.support.console.trainings.BUYER", party.address)
    assert "nothing is spent yet: a deposit is paid when" in run("earnings", "--config", party.config).stdout
    finished_training(party.store, training=1)
    running_training(party.store, training=2, name="second")
    told = run("earnings", "--config", party.config).stdout
    assert "in 2 trainings: 2 ETH deposited, 0.7 ETH came back, 1 ETH in trainings that run" in told
    assert "spent 0.3 ETH" in told
    assert "second" in told
    with deltaml.connect(party.config) as buyer:
        assert buyer.earnings().spent == 3 * ETHER // 10
    party.store.close()


def test_a_daemon_without_money_is_named(tmp_path):
    config = SAMPLES / "chain-listener.yaml"
    assert "no money goes by it" in refused("earnings", "--config", config)
