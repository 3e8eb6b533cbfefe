"""Whatever a message holds, its size is looked at before its sense, and nothing grows with what it says."""

import json
import subprocess
import sys

import pytest

MOST_MEBIBYTES = {
    ("complaint", 1, "signed"): 16,
    ("complaint", 16, "unsigned"): 64,
    ("complaint", 16, "signed"): 96,
    ("proven_update", 16, "signed"): 96,
    ("training_request", 11, "signed"): 66,
    ("model_request", 16, "unsigned"): 4,
}
"""What a message of this type and size may cost, sent by one who signs it and by one who does not."""


@pytest.fixture(scope="module")
def found():
    """What each cost."""
    lines = "".join(f"{kind} {mebibytes} {how}\n" for kind, mebibytes, how in MOST_MEBIBYTES)
    command = [sys.executable, "-m", "tests.support.hostile.measured"]
    told = subprocess.run(command, input=lines, stdout=subprocess.PIPE, text=True, check=True).stdout
    return dict(zip(MOST_MEBIBYTES, map(json.loads, told.splitlines()), strict=True))


@pytest.mark.parametrize("case", MOST_MEBIBYTES, ids=lambda case: "-".join(map(str, case)))
def test_nils_cost_no_more_than_their_bytes(found, case):
    cost = found[case]
    assert cost["code"] == ("oversized" if case[0] == "model_request" else "malformed")
    assert cost["mebibytes"] < MOST_MEBIBYTES[case]
    assert cost["seconds"] < 1
