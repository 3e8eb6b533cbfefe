"""`deltaml verify`: exit status and text for a transcript in order, an altered one, and none at all."""

import pytest

from protocol.verification.transcript import Header, Transcript, to_bytes
from tests.support.daemons.command_line import refused, run, run_json
from tests.support.daemons.service_world import MARKET, Person


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
