import contextlib
import json
import sqlite3
import stat

import pytest
import yaml
from structlog.testing import capture_logs

from protocol.bought_model import BoughtModel
from protocol.codec import pack
from services.data.model_file import read_model
from services.store import StepWrites, Store
from tests.support.console.trainings import finished_training, running_training
from tests.support.daemons.command_line import refused, run, run_json

MODEL = BoughtModel(name="m", features=("a",), target="y", weights=(2.0,), intercept=None)
ROUND = {"round": 1, "mse_before": str(27_000 * 10**18), "mse_after": str(33265 * 10**17), "last": True}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "buyer.sqlite"


@pytest.fixture
def store(path):
    """A buyer's store, still open as the daemon's is: training 7 is finished, another waits."""
    store = Store(f"sqlite:///{path}")
    _step(
        store,
        "training:ab",
        StepWrites(
            7,
            b"state",
            "FINISHED",
            finished=True,
            references=frozenset(),
            facts=[("started", {"trainers": 3}), ("round_recorded", ROUND)],
            results={"model": pack(MODEL)},
        ),
        1_700_000_000.0,
    )
    _step(
        store,
        "training:cd",
        StepWrites(
            None,
            b"state",
            "WAITING",
            finished=False,
            references=frozenset(),
            facts=[("round_recorded", {"round": 1})],
        ),
        1_700_000_060.0,
    )
    yield store
    store.close()


def _step(store, key, writes, now):
    store.add_inputs([(key.encode().ljust(32), key, b"input")])
    store.write_step(store.next_input(key), writes, now)


def test_all_trainings_of_a_store(store, path):
    assert run_json("show", "--store", path) == [
        {
            "training": 7,
            "key": "training:ab",
            "state": "FINISHED",
            "finished": True,
            "changed_at": "2023-11-14T22:13:20Z",
        },
        {
            "training": None,
            "key": "training:cd",
            "state": "WAITING",
            "finished": False,
            "changed_at": "2023-11-14T22:14:20Z",
        },
    ]
    table = run("show", "--store", path).stdout
    assert "FINISHED" in table
    assert "training:cd" in table


def test_one_training_by_number_or_key(store, path):
    shown = run_json("show", "7", "--store", path)
    assert shown["rounds"] == [{"round": 1, "mse_before": 27000.0, "mse_after": 3326.5}]
    assert [fact["name"] for fact in shown["facts"]] == ["started", "round_recorded"]
    assert run_json("show", "training:ab", "--store", f"sqlite:///{path}") == shown
    table = run("show", "7", "--store", path).stdout
    for part in ("training 7 (training:ab): FINISHED", "27000", "3326.5", "trainers=3"):
        assert part in table


def test_an_owners_rounds_have_no_error(store, path):
    assert run_json("show", "training:cd", "--store", path)["rounds"] == [
        {"round": 1, "mse_before": None, "mse_after": None}
    ]
    run("show", "training:cd", "--store", path)


def test_the_store_of_a_configuration_is_used(store, path, tmp_path):
    address = "0x" + "ab" * 20
    values = {
        "daemon": "chain-listener",
        "broker": {"url": "amqp://listener@localhost/"},
        "chain": {"url": "http://localhost:8545", "chain_id": 1, "contract": address},
        "store": path.name,
    }
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(values))
    assert len(run_json("show", "--config", tmp_path / "config.yaml")) == 2


def test_parties_are_shown_with_the_names_that_the_configuration_gives_them(store, path, tmp_path):
    owner, address = "0x" + "a1" * 20, "0x" + "ab" * 20
    values = {
        "daemon": "model-buyer",
        "broker": {"url": "amqp://buyer@localhost/"},
        "chain": {"url": "http://localhost:8545", "chain_id": 1, "contract": address},
        "store": path.name,
        "keystore": "keys",
        "passphrase_file": "passphrase",
        "names": {owner: "Clinic"},
    }
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(values))
    store.note("training:ab", ("joined", {"owner": owner}), 1.0)
    shown = run("show", "7", "--config", tmp_path / "config.yaml").stdout
    assert f"owner=Clinic {owner}" in shown


def test_the_bought_model_is_written_for_its_buyer(store, path, tmp_path):
    out = tmp_path / "model.json"
    assert run("show", "7", "--store", path, "--model-out", out).stderr == f"wrote {out}\n"
    assert read_model(out) == MODEL
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    says = refused("show", "training:cd", "--store", path, "--model-out", tmp_path / "none.json")
    assert "has no model of training" in says
    assert not (tmp_path / "none.json").exists()
    assert "needs a training" in refused("show", "--store", path, "--model-out", out)


def test_a_file_that_exists_is_replaced_only_when_forced(store, path, tmp_path):
    store.close()
    before = path.read_bytes()
    assert "exists already" in refused("show", "7", "--store", path, "--model-out", path)
    assert path.read_bytes() == before
    out = tmp_path / "model.json"
    out.write_text("mine")
    assert "add --force to replace it" in refused("show", "7", "--store", path, "--model-out", out)
    assert out.read_text() == "mine"
    run("show", "7", "--store", path, "--model-out", out, "--force")
    assert read_model(out) == MODEL


def test_unknown_trainings_are_told(store, path):
    for training in ("8", "training:zz", "٣", "9" * 30):
        assert f"has no training '{training}'" in refused("show", training, "--store", path)


def test_what_is_no_store_is_refused_and_stays_as_it_is(tmp_path):
    assert "give --store or --config" in refused("show")
    assert "give --store or --config" in refused("show", "--store", "a", "--config", "b")
    missing = tmp_path / "none.sqlite"
    assert "there is no store" in refused("show", "--store", missing)
    assert not missing.exists()
    assert f"{tmp_path} is a folder; name the .sqlite file" in refused("show", "--store", tmp_path)
    other = tmp_path / "other.sqlite"
    with sqlite3.connect(other) as connection:
        connection.execute("CREATE TABLE other (a)")
    connection.close()
    text = tmp_path / "text.sqlite"
    text.write_text("not a database, but long enough to be looked at" * 20)
    for path in (other, text):
        before = path.read_bytes()
        assert "is not a daemon's store" in refused("show", "--store", path)
        assert path.read_bytes() == before


def test_a_database_that_does_not_answer_is_a_failure_of_its_service():
    with capture_logs():
        says = refused("show", "--store", "postgresql://owner@localhost:1/deltaml", status=3)
    assert "the store postgresql://owner@localhost:1/deltaml does not answer" in says


def test_a_training_that_has_not_converged_says_so(path):
    """Each of the three rounds that were agreed took a tenth off the error, and so might a fourth."""
    with contextlib.closing(Store(f"sqlite:///{path}")) as store:
        finished_training(store, schedule={"rounds": 3, "step_size": 1})
    told = run_json("show", "1", "--store", path)["convergence"]
    assert (told["ended"], told["last_gain"]) == ("rounds", pytest.approx(0.1))
    assert told["next_gain"] == pytest.approx(0.1)
    shown = " ".join(run("show", "1", "--store", path).stdout.split())
    assert "the last still improved the error by 10 %; another might bring about 10 %" in shown


def test_a_models_card_is_written_as_its_name_says(path, tmp_path):
    with contextlib.closing(Store(f"sqlite:///{path}")) as store:
        finished_training(store, training=1)
        running_training(store, training=2)
    for name, start in (("card.html", "<!doctype html>"), ("card.MD", "# Disease"), ("card.json", "{")):
        run("show", "1", "--store", path, "--card", tmp_path / name)
        assert (tmp_path / name).read_text().startswith(start)
    assert "exists already" in refused("show", "1", "--store", path, "--card", tmp_path / "card.json")
    run("show", "1", "--store", path, "--card", tmp_path / "card.json", "--force")
    assert ".html, .md, .json" in refused("show", "1", "--store", path, "--card", tmp_path / "card.pdf")
    assert "no model of order:" in refused("show", "2", "--store", path, "--card", tmp_path / "2.md")
    assert "--card needs a training" in refused("show", "--store", path, "--card", tmp_path / "2.md")
    assert not (tmp_path / "2.md").exists()


def test_a_models_card_has_the_scores_on_rows_of_the_buyers_own(path, tmp_path):
    with contextlib.closing(Store(f"sqlite:///{path}")) as store:
        finished_training(store)
    rows, card = tmp_path / "rows.csv", tmp_path / "card.json"
    rows.write_text("age,bmi,progression\n40,25,140\n60,22,180\n")
    told = refused("show", "1", "--store", path, "--card", card, "--rows", rows)
    assert "has 2 of the 30 rows that scores on a card" in told
    assert not card.exists()
    rows.write_text("age,bmi,progression\n" + "40,25,140\n60,22,180\n" * 15)
    run("show", "1", "--store", path, "--card", card, "--rows", rows)
    scores = json.loads(card.read_text())["own_scores"]
    assert (scores["rows"], scores["figures"]["mae"]) == (30, pytest.approx(4.125))
    run("show", "1", "--store", path, "--card", card, "--force")
    assert json.loads(card.read_text())["own_scores"] is None, "nothing is kept of a file on a command line"
    assert "--rows scores the model for its card" in refused("show", "1", "--store", path, "--rows", rows)
    rows.write_text("age,bmi\n40,25\n")
    told = refused("show", "1", "--store", path, "--card", tmp_path / "2.md", "--rows", rows)
    assert "has no column 'progression'" in told
    assert not (tmp_path / "2.md").exists()


def test_errors_of_a_kind_with_a_link_are_told_as_deviances(path):
    with contextlib.closing(Store(f"sqlite:///{path}")) as store:
        target = {"name": "died", "kind": "boolean"}
        start = {"start": "mean", "value": "0.5"}
        kind = {"kind": "logistic_regression"}
        key = finished_training(store, scale="range", model=kind, target=target, start=start)
        data = {"round": 1, "mse_before": str(10**18), "mse_after": str(10**18)}
        store.note(key, ("round_recorded", data), 1.0)
    shown = run("show", key, "--store", path).stdout
    assert "mean deviances" in shown
    assert "squared" not in shown


def test_a_buyer_sees_errors_in_its_targets_units_and_amounts_in_ether(path):
    """Half the width of the range is 200: an error of 6000 on chain is 6000 × 200² of the target's own."""
    with contextlib.closing(Store(f"sqlite:///{path}")) as store:
        key = finished_training(store, scale="range")
        for number in (1, 2):
            data = {"round": number, "mse_before": str(6000 * 10**18), "mse_after": str(3000 * 10**18)}
            store.note(key, ("round_recorded", data), 1.0)
        store.note(key, ("cancelled", {"refund_wei": "1500000000000000000"}), 1.0)
    shown = run("show", key, "--store", path).stdout
    assert "in the target's units, squared" in " ".join(shown.split())
    assert "240000000" in shown
    assert "refund=1.5 ETH" in shown
    assert run_json("show", key, "--store", path)["facts"][-1]["data"] == {
        "refund_wei": "1500000000000000000"
    }


def test_who_knows_no_errors_gets_no_empty_table(path):
    with contextlib.closing(Store(f"sqlite:///{path}")) as store:
        _step(
            store,
            "1",
            StepWrites(
                1,
                b"state",
                "READY",
                finished=False,
                references=frozenset(),
                facts=[("round_recorded", {"round": 1})],
            ),
            1.0,
        )
    assert run("show", "1", "--store", path).stdout == "training 1 (1): READY\n"
