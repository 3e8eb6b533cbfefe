"""`deltaml verify`: exit status and text for a transcript in order, an altered one, and none at all."""

import itertools

import pytest

from protocol.verification.transcript import Header, Transcript, to_bytes
from tests.support.daemons.command_line import ask, refused, run, run_json
from tests.support.daemons.service_world import MARKET, Person
from tests.support.roles.proven_training import proven_training
from tests.support.roles.pure_contract import TRAINING
from tests.support.roles.transcripts import PARTIES, entries_of, party_of, sealed


@pytest.fixture
def file(tmp_path):
    """A sealed transcript in which the training was never opened."""
    party = Person("model_buyer").identity
    header = Header(
        chain_id=MARKET.chain_id,
        contract=MARKET.contract,
        training=7,
        role="model_buyer",
        party=party.address,
    )
    path = tmp_path / "transcript"
    path.write_bytes(to_bytes(Transcript.sealed(header, [], party.signing_key)))
    return path


def test_what_differs_is_named_with_a_status_of_its_own(file):
    report = run_json("verify", "7", "--transcript", file, status=3)
    assert report["failure"]["code"] == "missing_event"
    assert report["failure"]["message"] == "Opened"
    assert "Opened: missing_event" in run("verify", "7", "--transcript", file, status=3).stdout


def test_another_training_is_not_this_one(file):
    assert run_json("verify", "8", "--transcript", file, status=3)["failure"]["code"] == "other_training"


def test_what_is_no_transcript_is_refused(tmp_path):
    path = tmp_path / "rows.csv"
    path.write_text("bmi,target\n")
    assert "is no transcript" in refused("verify", "7", "--transcript", path)


def test_something_is_to_be_verified():
    assert "--transcript" in refused("verify", "7")


# ---- a whole training ----


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A file for each of a small training's parties."""
    market, files = proven_training(), {}
    for name in PARTIES:
        party = party_of(market, name)
        files[name] = tmp_path_factory.mktemp("transcripts") / name
        files[name].write_bytes(to_bytes(sealed(party, entries_of(market, party))))
    return files


@pytest.mark.parametrize("name", PARTIES)
def test_an_honest_training_verifies_with_status_0(whole, name):
    report = run_json("verify", TRAINING, "--transcript", whole[name], "--jobs", 1)
    assert report["failure"] is None
    assert [one["round"] for one in report["rounds"]] == [1]
    assert report["blames"] == []
    said = run("verify", TRAINING, "--transcript", whole[name], "--jobs", 1).stdout
    assert said.startswith("round 1 (")
    assert "verified: training 1 " in said
    assert "not shown: " in said


def test_transcripts_are_held_against_each_other(whole):
    arguments = ("verify", TRAINING, "--transcript", whole["buyer"], "--jobs", 1)
    report = run_json(*arguments, "--against", whole["aggregator"], "--against", whole["member"])
    names = [one["name"] for one in report["checks"]]
    assert names.count("messages that both have") == 2
    own = run_json(*arguments, "--against", whole["buyer"], status=3)
    assert own["failure"]["code"] == "same_party"


@pytest.mark.parametrize(("name", "share"), list(itertools.product(PARTIES, (0.1, 0.5, 0.9))))
def test_a_byte_that_is_altered_anywhere_fails(whole, tmp_path, name, share):
    content = bytearray(whole[name].read_bytes())
    content[int(share * len(content))] ^= 1
    path = tmp_path / "altered"
    path.write_bytes(content)
    assert ask("verify", TRAINING, "--transcript", path, "--jobs", 1).exit_code in (2, 3)
