"""A training followed on a terminal: each line once, until the end."""

import pytest
import typer

from services.cli.follow import Follower, follow
from services.store import Store
from services.store.tables import instances
from tests.support.console.trainings import finished_training

KEY = "training:ab"
EARLY = "; the last, it gained less than the tolerance"
OPENED = ("Opened", {"training": "7", "deposit": "1500000000000000000"})
ROUND = ("RoundRecorded", {"round": "1", "mse_before": "100", "mse_after": "25", "last": False})
LAST = ("RoundRecorded", {"round": "2", "mse_before": "25", "mse_after": "24", "last": True})


@pytest.fixture
def store():
    made = Store()
    yield made
    made.close()


def become(store, shown, *, finished=False):
    row = {"training": 7, "state": b"", "shown": shown, "finished": finished, "updated_at": 1.0}
    with store._database.writing() as connection:
        connection.execute(instances.delete())
        connection.execute(instances.insert().values(key=KEY, **row))


def test_every_fact_is_told_once_as_it_comes(store):
    follower = Follower(store, KEY, most_rounds=5)
    assert list(follower.lines()) == []
    become(store, "IN_PROGRESS")
    store.note("chain:7", OPENED, 1.0)
    store.note("chain:7", ROUND, 2.0)
    store.note(KEY, ("started", {"trainers": 3, "validators": 2}), 2.0)
    assert list(follower.lines()) == [
        "training 7 opened with a deposit of 1.5 ETH",
        "round   1 of at most 5: 25.00% of the error before is left",
    ]
    store.note(KEY, ("dropped", {"participant": "0xab", "code": "update_late"}), 3.0)
    store.note("chain:7", LAST, 4.0)
    assert list(follower.lines()) == [
        "dropped: participant=0xab, code=update_late",
        f"round   2 of at most 5: 96.00% of the error before is left{EARLY}",
    ]
    assert list(follower.lines()) == []


def test_parties_have_the_names_of_the_address_book(store):
    owner = "0x" + "a1" * 20
    follower = Follower(store, KEY, names={owner: "Clinic"})
    become(store, "IN_PROGRESS")
    store.note("chain:7", ("Joined", {"owner": owner, "seat": "0"}), 1.0)
    store.note(KEY, ("dropped", {"participant": owner, "code": "update_late"}), 2.0)
    assert list(follower.lines()) == [
        f"dropped: participant=Clinic {owner}, code=update_late",
        f"owner Clinic {owner} joined, seat 0",
    ]


def test_who_is_asked_joins_waits_and_declines_is_told_while_joining_is_open(store):
    follower = Follower(store, KEY)
    become(store, "WAITING")
    store.note(KEY, ("joining", {"asked": 5, "joined": 0, "declined": {}}), 1.0)
    said_no = {"no_matching_card": 2, "pay_below_least": 1}
    later = {"asked": 5, "joined": 1, "declined": said_no, "waiting": {"budget_spent": 1}}
    store.note(KEY, ("joining", later), 2.0)
    refusals = "3 (no matching card: 2, pay below least: 1) declined"
    assert list(follower.lines()) == [
        "5 owners asked: 0 joined, 0 wait for a person, 0 declined",
        f"5 owners asked: 1 joined, 1 (budget spent: 1) wait for a person, {refusals}",
    ]


def test_a_training_that_has_finished_ends_the_telling(store, capsys):
    become(store, "FINISHED", finished=True)
    store.note("chain:7", ("Settled", {"paid": "1", "refund": "2000000000000000000"}), 1.0)
    follow(store, KEY, None, {})
    told = "settled: 0.000000000000000001 ETH paid, 2 ETH back to the buyer\ntraining 7: FINISHED\n"
    assert capsys.readouterr().out == told


def test_the_buyer_is_told_at_the_end_whether_its_model_has_converged(store, capsys):
    follow(store, finished_training(store, schedule={"rounds": 3, "step_size": 1}), None, {})
    assert "training 1: FINISHED\nIt has not converged: all 3 rounds were used" in capsys.readouterr().out


def test_one_that_failed_ends_it_with_a_status(store, capsys):
    become(store, "FAILED(not_enough_owners)", finished=True)
    with pytest.raises(typer.Exit) as ended:
        follow(store, KEY, None, {})
    assert ended.value.exit_code == 3
    assert capsys.readouterr().out == "training 7: FAILED(not_enough_owners)\n"


def test_ctrl_c_leaves_the_training_running(store, capsys, monkeypatch):
    become(store, "IN_PROGRESS")

    def interrupted(_seconds):
        raise KeyboardInterrupt

    monkeypatch.setattr("services.cli.follow.time.sleep", interrupted)
    with pytest.raises(typer.Exit) as ended:
        follow(store, KEY, None, {})
    assert ended.value.exit_code == 130
    assert "the training goes on; `deltaml show 7 --follow` takes it up again" in capsys.readouterr().err
