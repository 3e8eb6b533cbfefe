"""Codes of what somebody has done, or not done: whoever leaves somebody out does so by one of them."""

import re
from pathlib import Path

from protocol.roles.rounds.faults import OF_COMPLAINTS, OF_PROOFS, SILENCES, SILENT_MEMBERS

_AGGREGATOR = Path(__file__).parents[4] / "protocol" / "roles" / "aggregator"
_OF_NOBODY = {"contested", "verdict_late"}
"""Attempts that end without anybody being left out."""


def codes_of(function: str) -> set[str]:
    """The codes that an aggregator's handlers call a function with."""
    calls = re.compile(rf'\b{function}\([^"\n]*"(\w+)"')
    return {code for path in _AGGREGATOR.rglob("*.py") for code in calls.findall(path.read_text())}


def test_nothing_is_a_silence_and_a_deed() -> None:
    assert not SILENCES & (OF_COMPLAINTS | OF_PROOFS)
    assert SILENT_MEMBERS < SILENCES


def test_whoever_is_left_out_is_so_for_a_silence_or_a_deed() -> None:
    dropped = codes_of("drop_notices")
    assert len(dropped) > 2
    assert dropped <= SILENCES | OF_PROOFS


def test_an_attempt_ends_for_a_silent_member_for_a_deed_or_for_nobody() -> None:
    ends = codes_of("next_attempt")
    assert ends - OF_COMPLAINTS - OF_PROOFS - _OF_NOBODY == SILENT_MEMBERS
