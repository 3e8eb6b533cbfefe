"""States that were packed by this version, or by one before it, are read: new fields need defaults."""

import pytest

from protocol.codec import pack, unpack
from protocol.roles.dispatch import CHECKED_ROLES, ROLES, decode_state, early_references, rounds_in
from tests.support.roles.golden_states import CHECKED, FOLDER, version

FILES = sorted(FOLDER.glob("*/*.msgpack"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_a_state_of_then_is_read_today(path):
    role, _, phase = path.stem.partition("-")
    content = path.read_bytes()
    state = decode_state(role, content)
    assert state.phase == phase
    early_references(content)
    assert unpack(type(state), pack(state)) == state


def test_every_phase_of_this_version_is_kept():
    kept = {path.stem for path in FILES if path.parent.name == version()}
    assert kept == {f"{role}-{phase}" for role, module in ROLES.items() for phase in module.MACHINE.phases}


CHECKED_FILES = sorted(FOLDER.glob(f"*/{CHECKED}/*.msgpack"))


@pytest.mark.parametrize("path", CHECKED_FILES, ids=lambda path: f"{path.parent.parent.name}-{path.stem}")
def test_a_state_of_checked_rounds_of_then_is_read_today(path):
    role, phase, *step = path.stem.split("-")
    content = path.read_bytes()
    assert rounds_in(content) == CHECKED
    state = decode_state(role, content)
    assert state.phase == phase
    assert not step or state.evaluation.status == step[0]
    early_references(content)
    assert unpack(type(state), pack(state)) == state


def test_every_phase_and_step_of_checked_rounds_is_kept():
    kept = {tuple(path.stem.split("-")) for path in CHECKED_FILES if path.parent.parent.name == version()}
    phases = {(role, phase) for role, module in CHECKED_ROLES.items() for phase in module.MACHINE.phases}
    assert {place[:2] for place in kept} == phases
    steps = {place[2] for place in kept if place[:2] == ("federated_aggregator", "training") and place[2:]}
    assert steps == {"asking", "checking", "agreeing", "opening", "signing"}
