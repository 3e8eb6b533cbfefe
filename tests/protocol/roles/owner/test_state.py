"""States that version 0.1.0 stored, when an owner had one type for all phases and one for all evaluations."""

from typing import Any

import msgpack  # type: ignore[import-untyped]
import pytest

from protocol.codec import pack
from protocol.roles.owner.role import MACHINE
from protocol.roles.owner.state import (
    CheckedEvaluation,
    MaskedEvaluation,
    MeasuredEvaluation,
    OwnerState,
    RunningState,
)
from tests.support.roles.small_markets import stopped_at

DIGEST, BLOB = b"d" * 32, {"digest": b"b" * 32}


def running() -> RunningState:
    """A validator that has just been asked to measure."""
    _, owner, _ = stopped_at("local_models", 2)
    assert isinstance(owner.decoded, RunningState)
    return owner.decoded


def as_then(state: OwnerState, **fields: Any) -> bytes:
    """The state with the fields of every phase that it had then."""
    then = {"mismatches": (), "failure": None, "evaluation": None, "last_model": None, "caught_up": 0}
    return bytes(msgpack.packb({**then, **msgpack.unpackb(pack(state)), **fields}))


@pytest.mark.parametrize(
    ("status", "own_values", "shown", "kind"),
    [
        ("masked", None, None, MaskedEvaluation),
        ("measured", DIGEST, None, MeasuredEvaluation),
        ("checked", DIGEST, BLOB, CheckedEvaluation),
    ],
)
def test_an_evaluation_is_read_in_the_type_of_its_step(
    status: str, own_values: bytes | None, shown: Any, kind: type
) -> None:
    evaluation = {
        "status": status,
        "round": 1,
        "attempt": 2,
        "trainers": b"\3",
        "validators": b"\x1c",
        "measure_start": True,
        "start_digest": DIGEST,
        "update_digests": (DIGEST, DIGEST),
        "refreshed_digest": DIGEST,
        "refreshed_model": BLOB,
        "residuals": BLOB,
        "own_values": own_values,
        "shown_metrics": shown,
    }
    state = MACHINE.read(as_then(running(), evaluation=evaluation))
    assert isinstance(state, RunningState)
    assert type(state.evaluation) is kind
    assert MACHINE.read(pack(state)) == state


def test_a_failed_state_still_tells_whether_anything_was_worked_on() -> None:
    answer = {"round": 1, "attempt": 1, "start_digest": DIGEST, "update": BLOB}
    worked = MACHINE.read(as_then(running(), phase="failed", answer=answer))
    assert worked.has_worked
    assert not MACHINE.read(as_then(running(), phase="failed")).has_worked
