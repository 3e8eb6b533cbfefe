"""`deltaml history`: what a daemon's operator sees of last week."""

import time
from pathlib import Path

import pytest
import yaml

from services.store import StepWrites, Store
from tests.support.daemons.command_line import refused, run, run_json

SAMPLE = Path(__file__).parents[3] / "deploy" / "config" / "aggregator.yaml"
OWNER = "0x" + "a5" * 20
LONG_AGO = 1_700_000_000.0


def step(store, key, training, shown, at, *facts):
    store.add_inputs([(f"{key}{at}".encode().ljust(32)[:32], key, b"input")])
    writes = StepWrites(training, b"s", shown, finished=shown != "IN_PROGRESS", references=frozenset())
    writes.facts = list(facts)
    store.write_step(store.next_input(key), writes, at)


@pytest.fixture
def config(tmp_path):
    """An aggregator's: training 7 went well long ago, 8 failed just now."""
    path = tmp_path / "aggregator.yaml"
    path.write_text(yaml.safe_dump({**yaml.safe_load(SAMPLE.read_text()), "store": "state.sqlite"}))
    store = Store(f"sqlite:///{tmp_path / 'state.sqlite'}")
    step(store, "7", 7, "IN_PROGRESS", LONG_AGO, ("started", {}))
    late = ("late", {"of": "call", "attempts": 2, "seconds": 3.0})
    step(store, "7", 7, "FINISHED", LONG_AGO + 5, ("round_signed", {"round": 1}), late)
    lost = {"participant": "0xab", "round": 1, "code": "update_late"}
    step(store, "8", 8, "FAILED(too_few_trainers)", time.time(), ("started", {}), ("dropped", lost))
    store.close()
    return path


def test_all_trainings_and_their_rounds_are_listed(config):
    first, second = run_json("history", "--config", config)
    assert (first["training"], first["state"]) == (7, "FINISHED")
    assert first["rounds"] == [
        {
            "round": 1,
            "finished_at": "2023-11-14T22:13:25Z",
            "seconds": 5.0,
            "attempts": 1,
            "dropped": [],
            "violations": [],
        }
    ]
    assert [one["data"]["attempts"] for one in first["retries"]] == [2]
    assert (first["gave_up"], first["blamed"]) == (None, [])
    assert second["training"] == 8
    (broken,) = second["rounds"]
    assert (broken["round"], broken["finished_at"], broken["dropped"]) == (1, None, ["0xab"])
    told = run("history", "--config", config).stdout
    assert "FINISHED" in told
    assert "FAILED(too_few_trainers)" in told


def test_failures_are_found(config):
    (one,) = run_json("history", "--config", config, "--failures")
    assert one["training"] == 8
    assert [(fact["name"], fact["data"]["code"]) for fact in one["failures"]] == [("dropped", "update_late")]
    assert "update_late" in run("history", "--config", config, "--failures").stdout


@pytest.mark.parametrize(
    ("since", "trainings"), [("7d", [8]), ("12h", [8]), ("2023-11-14", [7, 8]), ("2023-11-15T00:00:00Z", [8])]
)
def test_last_week_is_chosen(config, since, trainings):
    found = run_json("history", "--config", config, "--since", since)
    assert [one["training"] for one in found] == trainings


def test_one_training_is_shown_round_by_round(config):
    told = run("history", "--config", config, "--training", "7").stdout
    assert "attempts" in told
    assert "5.0" in told
    assert "of=call" in told


def test_nonsense_is_refused_with_the_remedy(config):
    assert "give a date such as" in refused("history", "--config", config, "--since", "yesterday")
    assert "has no training" in refused("history", "--config", config, "--training", "9")


def test_who_is_held_to_blame_is_told_with_the_round_that_came_to_nothing(config):
    liar, aggregator = "0x" + "a1" * 20, "0x" + "f0" * 20
    about = {"round": 2, "attempt": 1}
    told = (
        ("check_failed", {"checker": liar, "code": "products_contested", **about}),
        ("complaint", {"accused": liar, "round": 2, "code": "false_complaint"}),
        ("named", {"accused": aggregator, "code": "two_versions", **about}),
        ("gave_up", {"code": "too_few_validators", "last_round": 1, "accused": liar, "silent": [OWNER]}),
    )
    store = Store(f"sqlite:///{config.parent / 'state.sqlite'}")
    step(store, "9", 9, "IN_PROGRESS", 1.0, ("started", {}))
    step(store, "9", 9, "IN_PROGRESS", 2.0, ("round_signed", {"round": 1}))
    step(store, "9", 9, "FAILED(too_few_validators)", 3.0, *told)
    store.close()
    (made,) = run_json("history", "--config", config, "--training", "9")
    assert [one["round"] for one in made["rounds"]] == [1, 2]
    assert (made["rounds"][1]["finished_at"], made["gave_up"]) == (None, "too_few_validators")
    assert [(one["accused"], one["code"], one["seen"]) for one in made["blamed"]] == [
        (liar, "false_complaint", False),
        (aggregator, "two_versions", True),
    ]
    for command in (("history", "--training", "9"), ("show", "9")):
        shown = " ".join(run(*command, "--config", config).stdout.split())
        assert f"held to blame in round 2: {liar}: false complaint, as the aggregator says" in shown
        assert f"the aggregator waited in vain for {OWNER}" in shown
        assert f"{aggregator}: two versions, seen by this party itself" in shown
        assert "given up after round 1: too few validators" in shown
