"""Who would join a buyer's trainings, and what its operator decides about them."""

from contextlib import closing

import pytest
import yaml

from services.config.daemons import load
from services.records.order_answers import ACCEPTED, OrderAnswer
from services.store import Store
from tests.services.cli.test_orders import SAMPLE, becoming, daemon_of
from tests.support.console.trainings import OWNERS, asking_training, running_training
from tests.support.daemons.command_line import refused, run, run_json
from tests.support.daemons.order_answers import answered_orders

CARD = "c1" * 32


@pytest.fixture
def buyer(tmp_path):
    return daemon_of(tmp_path, {"daemon": "model-buyer", "names": {OWNERS[1]: "Clinic North"}})


@pytest.fixture
def request_file(tmp_path):
    path = tmp_path / "request.yaml"
    path.write_text(yaml.safe_dump(SAMPLE))
    return path


def test_who_waits_and_what_was_decided(buyer):
    with closing(Store(load(buyer).store)) as store:
        running_training(store, training=2)
        asking_training(store)
    told = run_json("admissions", "--config", buyer)
    assert [(one["training"], one["owner"], one["card"], one["decision"]) for one in told] == [
        (1, OWNERS[0], CARD, "admitted"),
        (1, OWNERS[1], CARD, "waits"),
    ]
    (waiting,) = run_json("admissions", "--waiting", "--config", buyer)
    assert waiting["owner"] == OWNERS[1]
    assert f"Clinic North {OWNERS[1]}" in run("admissions", "--config", buyer).stdout


def test_nobody_is_told_of_on_standard_error(buyer):
    assert "once they ask to be admitted" in run("admissions", "--config", buyer).stderr


@pytest.mark.parametrize(("command", "admits"), [("admit", True), ("refuse", False)])
def test_an_owner_is_decided_about_by_address_or_name(monkeypatch, buyer, command, admits):
    sent = answered_orders(monkeypatch, OrderAnswer(ACCEPTED, state="WAITING"))
    told = run_json(command, "1", "Clinic North", "--config", buyer)
    assert told == {
        "training": 1,
        "owner": OWNERS[1],
        "decision": command,
        "answer": ACCEPTED,
        "state": "WAITING",
    }
    run_json(command, "1", OWNERS[1].upper().replace("0X", "0x"), "--config", buyer)
    assert {(one.training, one.owner, one.admit) for one in sent} == {(1, OWNERS[1], admits)}
    assert "nor a party's name" in refused(command, "1", "Clinic South", "--config", buyer)


def test_a_decision_about_nobody_is_refused_with_where_to_look(monkeypatch, buyer):
    answered_orders(monkeypatch, OrderAnswer("unknown_application"))
    told = refused("admit", "1", OWNERS[0], "--config", buyer)
    assert "`deltaml admissions` lists those that would" in told


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ((), None),
        (("--admit", "Clinic North"), ((OWNERS[1],), (), "refuse")),
        (("--admit", OWNERS[0], "--admit-card", CARD, "--others", "ask"), ((OWNERS[0],), (CARD,), "ask")),
        (("--others", "admit"), ((), (), "admit")),
    ],
)
def test_an_order_has_a_policy_of_its_own(monkeypatch, buyer, request_file, options, expected):
    sent = answered_orders(monkeypatch, OrderAnswer(ACCEPTED, state="WAITING"), then=becoming())
    run_json("train", request_file, *options, "--config", buyer)
    policy = sent[0].admission
    assert expected == (None if policy is None else (policy.owners, policy.cards, policy.others))


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--admit", "Clinic South"), "nor a party's name"),
        (("--admit-card", "c1"), "--admit-card 'c1' is no card's hash"),
        (("--admit", OWNERS[0], "--others", "admit"), "keeps nobody out"),
    ],
)
def test_a_policy_that_cannot_be_meant_is_refused_before_anything_is_sent(
    monkeypatch, buyer, request_file, options, told
):
    sent = answered_orders(monkeypatch, OrderAnswer(ACCEPTED))
    assert told in refused("train", request_file, *options, "--config", buyer)
    assert sent == []
