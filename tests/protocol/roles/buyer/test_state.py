"""What the buyer keeps of checked rounds, and for how long."""

import msgpack
import pytest

from protocol.codec import decoded, pack
from protocol.errors import ProtocolViolation
from protocol.roles.buyer.role import MACHINE
from protocol.roles.buyer.state import AttemptMembers, Exchange, OfAttempt, Question, RunningState, from_round
from protocol.roles.engine.refusals import EarlyInput, StaleInput
from protocol.roles.engine.state import BlobRef, references, replace
from protocol.types import RoundAttempt
from tests.support.roles.checked_attempt import measuring

WORLD, _, STATE = measuring()


def of_rounds(*rounds: int) -> RunningState:
    """A state with one of everything for each round."""
    digest = b"d" * 32
    exchanges = tuple(
        Exchange(round=k, attempt=1, trainers=2, start="unmeasured", request=digest, answer=digest)
        for k in rounds
    )
    questions = tuple(
        Question(round=k, attempt=1, asker=WORLD.members[0], numbers=BlobRef(digest=bytes([k]) * 32))
        for k in rounds
    )
    attempts = tuple(AttemptMembers(round=k, attempt=1, members=28) for k in rounds)
    opened = tuple(OfAttempt(round=k, attempt=1) for k in rounds)
    return WORLD.running(exchanges=exchanges, questions=questions, attempts=attempts, opened_checks=opened)


def test_what_belongs_to_earlier_rounds_is_dropped_with_its_blobs() -> None:
    """A state that kept every question would grow with the rounds."""
    kept = replace(of_rounds(1, 2, 3), **from_round(of_rounds(1, 2, 3), 2))
    for name in ("exchanges", "questions", "attempts", "opened_checks"):
        assert [one.round for one in getattr(kept, name)] == [2, 3]
    blobs = set(references(kept))
    assert bytes([1]) * 32 not in blobs
    assert {bytes([2]) * 32, bytes([3]) * 32} <= blobs


def test_a_stored_state_is_read_as_it_was() -> None:
    state = of_rounds(1, 2)
    read = MACHINE.read(pack(state))
    assert read == state
    assert isinstance(read, RunningState)


def test_a_state_of_unchecked_rounds_is_read_without_what_it_lacks() -> None:
    lacking = ("exchanges", "attempts", "standing")
    before = {name: value for name, value in decoded(pack(STATE)).items() if name not in lacking}
    read = MACHINE.read(msgpack.packb(before))
    assert isinstance(read, RunningState)
    assert (read.exchanges, read.attempts, read.standing) == ((), (), 0)


def test_the_attempt_under_way_is_the_last_announced_of_the_next_round() -> None:
    assert STATE.announced(RoundAttempt(1, 1)).members == WORLD.parties.validators
    with pytest.raises(EarlyInput):
        STATE.announced(RoundAttempt(1, 2))
    with pytest.raises(ProtocolViolation, match="round_out_of_order"):
        STATE.announced(RoundAttempt(2, 1))
    with pytest.raises(StaleInput):
        STATE.announced(RoundAttempt(0, 1))


def test_the_machine_has_the_phases_of_every_buyer() -> None:
    assert MACHINE.phases == (
        "ordered",
        "opened",
        "initiated",
        "running",
        "collecting",
        "finished",
        "failed",
    )
    inputs = [row.input for row in MACHINE.rows for phase in row.phases if phase == "running"]
    assert len(inputs) == len(set(inputs))
    assert not {"training_started", "refresh_request", "noisy_metric", "opening_request"} & set(inputs)
    assert all(row.why for row in MACHINE.rows)
