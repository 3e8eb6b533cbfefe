"""Orders on the command line: what cannot be ordered is told before anything is opened or sent."""

import re
from contextlib import closing
from pathlib import Path

import pytest
import yaml

from services.config.daemons import load
from services.identity.keystore import Cost, Keystore
from services.records.order_answers import ACCEPTED, OrderAnswer
from services.store import Store
from services.store.tables import instances
from tests.support.console.owner import left_by_its_buyer
from tests.support.daemons.command_line import refused, run, run_json
from tests.support.daemons.order_answers import answered_orders

ROOT = Path(__file__).parents[3]
CONFIG = ROOT / "deploy" / "config" / "model-buyer.yaml"
SAMPLE = yaml.safe_load((ROOT / "REQUEST.yaml").read_text())
CHEAP = Cost(scrypt_n=2, argon_passes=1, argon_bytes=8192)
DOCUMENT = {**SAMPLE, "schedule": {**SAMPLE["schedule"], "rounds": 100}}


@pytest.mark.parametrize(
    ("part", "told"),
    [
        (
            {"payment": {**DOCUMENT["payment"], "deposit_wei": "4999999"}},
            "a deposit of 4999999 wei is too low for 100 rounds of 5 owners: the contract asks for 5000000",
        ),
        (
            {"bounds": {**DOCUMENT["bounds"], "residual_bits": 64}},
            "bounds.residual_bits is 64; with 3 trainers the contract takes errors of 33 bits",
        ),
        (
            {"scale": "none"},
            "these rounds cannot be checked: rounds are checked between scaled columns alone; set scale:",
        ),
        (
            {"start": {"start": "training", "training": 7}},
            "start: 'training' is not known here; choose one of zero, mean, means, weights",
        ),
    ],
    ids=["deposit", "widths", "scale", "start"],
)
def test_what_could_not_be_ordered_is_refused_before_the_key_store_is_opened(tmp_path, part, told):
    request = tmp_path / "request.yaml"
    request.write_text(yaml.safe_dump({**DOCUMENT, **part}))
    assert told in refused("train", request, "--config", CONFIG)


ORDER_CONFIG = {
    "broker": {"url": "amqp://party@127.0.0.1:5672/deltaml"},
    "chain": {"url": "http://127.0.0.1:8545", "chain_id": 31337, "contract": "0x" + "c0" * 20},
    "keystore": "keys",
    "passphrase_file": "passphrase",
}
NUMBERS = {"training": 7, "state": b"", "shown": "WAITING", "finished": False, "updated_at": 1.0}


@pytest.fixture
def buyer(tmp_path):
    return daemon_of(tmp_path, {"daemon": "model-buyer"})


@pytest.fixture
def owner(tmp_path):
    return daemon_of(tmp_path, {"daemon": "data-owner", "aggregators": ["0x" + "a1" * 20]})


@pytest.fixture
def request_file(tmp_path):
    path = tmp_path / "request.yaml"
    path.write_text(yaml.safe_dump(SAMPLE))
    return path


def daemon_of(folder, more):
    """The configuration of a daemon that has run already."""
    path = folder / "config.yaml"
    path.write_text(yaml.safe_dump({**ORDER_CONFIG, **more}))
    Store(load(path).store).close()
    return path


def becoming(**changes):
    """What an order for a training leads to in the buyer's store."""

    def then(store, message_id):
        row = {"key": f"order:{message_id.hex()}", **NUMBERS, **changes}
        with store._database.writing() as connection:
            connection.execute(instances.insert().values(**row))

    return then


def test_train_tells_the_number_that_the_contract_gave(monkeypatch, buyer, request_file):
    sent = answered_orders(monkeypatch, OrderAnswer(ACCEPTED, state="WAITING"), then=becoming())
    told = run_json("train", request_file, "--config", buyer)
    assert (told["request"], told["answer"], told["training"]) == (SAMPLE["name"], ACCEPTED, 7)
    assert told["order"].startswith("order:")
    assert sent[0].request.name == SAMPLE["name"]


def test_train_tells_that_the_contract_refused_before_any_deposit(monkeypatch, buyer, request_file):
    refusal = becoming(training=None, shown="FAILED(open_wrong_role)", finished=True)
    answered_orders(monkeypatch, OrderAnswer(ACCEPTED, state="WAITING"), then=refusal)
    told = refused("train", request_file, "--config", buyer)
    assert "no deposit is paid: FAILED(open_wrong_role); is request.aggregator" in told


@pytest.mark.parametrize(
    ("arguments", "answer", "told"),
    [
        (
            ("accept", "1"),
            OrderAnswer("over_budget", "", "READY", {"data_set": "rows", "limit_in_total": 2}),
            "--beyond-budget joins all the same; data_set=rows, limit_in_total=2; state: READY",
        ),
        (("decline", "1"), OrderAnswer("unknown_training"), "`deltaml trainings` lists"),
        (
            ("accept", "1"),
            OrderAnswer("input_ignored", "", "FINISHED", {"phase": "finished"}),
            "input_ignored: it is too late for that, or too early; phase=finished; state: FINISHED",
        ),
        (("policy", "reset"), OrderAnswer("something_new", "of later"), "something_new: of later"),
    ],
    ids=["budget", "unknown", "late", "another"],
)
def test_a_refusal_is_told_with_its_reason_and_ends_the_command(monkeypatch, owner, arguments, answer, told):
    answered_orders(monkeypatch, answer)
    assert told in refused(*arguments, "--config", owner)


def test_an_answer_that_does_not_come_is_told_after_the_wait(monkeypatch, owner):
    sent = answered_orders(monkeypatch, None)
    told = refused("decline", "1", "--config", owner, "--wait", "0.01", status=3)
    assert "has not answered in 0.01 seconds" in told
    assert run_json("decline", "1", "--config", owner, "--no-wait") == {"training": 1, "decision": "decline"}
    assert len(sent) == 2


def test_a_store_that_cannot_be_read_is_told_before_anything_is_sent(monkeypatch, tmp_path, owner):
    sent = answered_orders(monkeypatch, OrderAnswer(ACCEPTED))
    (tmp_path / "state.sqlite").unlink()
    assert "start the daemon first" in refused("accept", "1", "--config", owner)
    assert sent == []


def interrupted(monkeypatch):
    """Ctrl-C the first time that a command would look again."""

    def interrupt(_seconds):
        raise KeyboardInterrupt

    monkeypatch.setattr("services.cli.order_sending.time.sleep", interrupt)


def test_ctrl_c_while_the_daemon_has_not_answered_tells_that_the_order_stands(
    monkeypatch, buyer, request_file
):
    answered_orders(monkeypatch, None)
    interrupted(monkeypatch)
    told = run("train", request_file, "--config", buyer, status=130).stderr
    assert re.search("the order was sent and stands: `deltaml show order:[0-9a-f]{32} --follow`", told)


def test_ctrl_c_before_the_number_is_known_tells_how_to_go_on(monkeypatch, buyer, request_file):
    opened = becoming(training=None, shown="WAITING")
    answered_orders(monkeypatch, OrderAnswer(ACCEPTED, state="WAITING"), then=opened)
    interrupted(monkeypatch)
    told = run("train", request_file, "--config", buyer, status=130).stderr
    assert re.search(
        "the training goes on; `deltaml show order:[0-9a-f]{32} --follow` takes it up again", told
    )


def test_nothing_to_withdraw_is_told_before_anything_is_sent(monkeypatch, tmp_path, owner):
    sent = answered_orders(monkeypatch, OrderAnswer(ACCEPTED))
    keys = Keystore.create(tmp_path / "keys", "a passphrase", CHEAP)
    assert "nothing to withdraw: 0 ETH credited so far, 0 ETH paid out" in refused(
        "withdraw", "--config", owner
    )
    assert sent == []
    with closing(Store(load(owner).store)) as store:
        for amount in ("1500000000000000000", "1"):
            credit = {"account": keys.identity.address, "amount": amount, "training": "1", "share": "x"}
            store.note("chain:1", ("Credited", credit), 1.0)
        store.note("chain:account", ("Withdrawn", {"account": keys.identity.address, "amount": "1"}), 2.0)
    assert run_json("withdraw", "--config", owner) == {"withdrawal": "asked", "answer": ACCEPTED}
    assert run_json("withdraw", "--config", owner, "--force")["answer"] == ACCEPTED
    assert len(sent) == 2


def test_what_is_not_claimed_is_withdrawn_as_well(monkeypatch, tmp_path, owner):
    sent = answered_orders(monkeypatch, OrderAnswer(ACCEPTED))
    keys = Keystore.create(tmp_path / "keys", "a passphrase", CHEAP)
    with closing(Store(load(owner).store)) as store:
        kept = left_by_its_buyer(store, 1, keys.identity.address)
    told = run_json("earnings", "--config", owner)
    assert (told["credit_wei"], told["unclaimed_wei"]) == ("0", str(kept))
    assert run_json("withdraw", "--config", owner)["answer"] == ACCEPTED
    assert len(sent) == 1


TOKEN, RECEIVER = "0x" + "70" * 20, "0x" + "57" * 20


@pytest.fixture
def token_owner(tmp_path, owner):
    """An owner with a credit of 2.5 of a token that it has configured."""
    keys = Keystore.create(tmp_path / "keys", "a passphrase", CHEAP)
    document = yaml.safe_load(Path(owner).read_text())
    document["tokens"] = [{"address": TOKEN, "symbol": "TEST", "decimals": 6}]
    Path(owner).write_text(yaml.safe_dump(document))
    with closing(Store(load(owner).store)) as store:
        credit = {"account": keys.identity.address, "amount": "2500000", "training": "1", "share": "x"}
        store.note("chain:1", ("Credited", credit | {"token": TOKEN}), 1.0)
    return owner


def test_a_credit_is_withdrawn_in_its_token_to_whom_it_is_said(monkeypatch, token_owner):
    sent = answered_orders(monkeypatch, OrderAnswer(ACCEPTED))
    arguments = ("withdraw", "--config", token_owner, "--token", "test", "--to", RECEIVER)
    assert f"pay 2.5 TEST to {RECEIVER}? there is no terminal" in refused(*arguments)
    assert "0 ETH credited so far" in refused("withdraw", "--config", token_owner)
    assert sent == []
    assert run_json(*arguments, "--yes") == {"withdrawal": "asked", "to": RECEIVER, "answer": ACCEPTED}
    assert [(order.token, order.to) for order in sent] == [(TOKEN, RECEIVER)]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--to", "0x" + "0" * 40), "is nobody's"),
        (("--to", "0x" + "C0" * 20), "is the market's contract"),
        (("--token", "TEST", "--to", TOKEN), "is the token itself"),
        (("--to", "me"), "is no address"),
        (("--token", "USDC"), "no symbol under tokens in the configuration (TEST)"),
        (("--token", "0x" + "71" * 20), f"0 units of token {'0x' + '71' * 20} credited"),
    ],
)
def test_a_withdrawal_that_would_be_lost_is_refused(monkeypatch, token_owner, arguments, told):
    sent = answered_orders(monkeypatch, OrderAnswer(ACCEPTED))
    assert told in refused("withdraw", "--config", token_owner, *arguments, "--yes")
    assert sent == []


def test_follow_goes_with_neither_json_nor_no_wait(buyer, request_file):
    for option in ("--json", "--no-wait"):
        assert "leave out" in refused("train", request_file, "--config", buyer, "--follow", option)
