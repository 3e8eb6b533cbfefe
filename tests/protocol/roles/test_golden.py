"""States that were packed by this version, or by one before it, are read: new fields need defaults."""

import pkgutil
from importlib import import_module

import pytest
from pydantic import BaseModel

import protocol.roles
from protocol.codec import pack, unpack
from protocol.roles.dispatch import ROLES, decode_state, early_references, has_earlier_rounds
from tests.support.roles.checked_golden import OF_ROUNDS, own_fields, used_fields
from tests.support.roles.golden_messages import CONTENTS, content_bytes, kept, stored_contents
from tests.support.roles.golden_states import CHECKED, FIELDS, FOLDER, version

ENDED = sorted(FOLDER.glob("*/*.msgpack"))


@pytest.mark.parametrize("path", ENDED, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_how_a_training_with_plain_rounds_ended_is_read_today(path):
    role, _, phase = path.stem.partition("-")
    content = path.read_bytes()
    assert has_earlier_rounds(content)
    state = decode_state(role, content)
    assert state.phase == phase
    assert unpack(type(state), pack(state)) == state


def test_every_end_of_one_is_kept():
    ends = {f"{role}-{phase}" for role, module in ROLES.items() for phase in module.FINAL}
    assert {path.stem for path in ENDED} == ends


CHECKED_FILES = sorted(FOLDER.glob(f"*/{CHECKED}/*.msgpack"))


@pytest.mark.parametrize("path", CHECKED_FILES, ids=lambda path: f"{path.parent.parent.name}-{path.stem}")
def test_a_state_of_checked_rounds_of_then_is_read_today(path):
    role, phase, *step = path.stem.split("-")
    content = path.read_bytes()
    assert not has_earlier_rounds(content)
    state = decode_state(role, content)
    assert state.phase == phase
    assert not step or state.evaluation.status == step[0]
    early_references(content)
    assert unpack(type(state), pack(state)) == state


def test_every_phase_and_step_of_checked_rounds_is_kept():
    kept = {tuple(path.stem.split("-")) for path in CHECKED_FILES if path.parent.parent.name == version()}
    phases = {(role, phase) for role, module in ROLES.items() for phase in module.MACHINE.phases}
    assert {place[:2] for place in kept} == phases
    steps = {place[2] for place in kept if place[:2] == ("federated_aggregator", "training") and place[2:]}
    expected = {"asking", "repeating", "checking", "questioning", "ranging", "agreeing", "opening", "signing"}
    assert steps == expected


@pytest.mark.parametrize("path", CHECKED_FILES, ids=lambda path: f"{path.parent.parent.name}-{path.stem}")
def test_a_state_is_packed_as_all_its_fields_are(path):
    """Though a machine packs the request in it once for many states."""
    role = path.stem.split("-")[0]
    state = decode_state(role, path.read_bytes())
    machine = ROLES[role].MACHINE
    assert [machine.write(state) for _ in range(2)] == [pack(state)] * 2


FIELD_FILES = sorted(FOLDER.glob(f"*/{CHECKED}/{FIELDS}/*.msgpack"))


@pytest.mark.parametrize("path", FIELD_FILES, ids=lambda path: path.stem)
def test_a_state_of_then_in_which_a_field_was_used_is_read_today(path):
    role, phase, field = path.stem.split("-")
    content = path.read_bytes()
    state = decode_state(role, content)
    assert state.phase == phase
    assert field in used_fields(state)
    early_references(content)
    assert unpack(type(state), pack(state)) == state


NOT_REACHED = {
    "BuyerState.stopped",
    "CancellableState.admission",
    "CollectingState.model_requests",
    "EndingState.signed_models",
    "InitiatedState.asked",
    "OrderedState.admission",
    "TrainingState.absences",
    "TrainingState.sitting_out",
    "UndecidedState.mismatches",
}
"""Fields before and beside rounds that the trainings of `checked_states` leave at their defaults."""


def test_every_field_of_a_state_of_checked_rounds_is_used_in_what_is_kept():
    """A field that is at its default in all of it could change and nobody would see."""
    files = (path for path in (*CHECKED_FILES, *FIELD_FILES) if version() in path.parts)
    used = {
        field
        for path in files
        for field in used_fields(decode_state(path.stem.split("-")[0], path.read_bytes()))
    }
    assert {field for kind in _values() for field in own_fields(kind).values()} - used - NOT_REACHED == set()


def test_what_a_blob_of_checked_rounds_holds_is_written_as_it_is_kept():
    written = content_bytes()
    assert set(written) == {kind.__name__ for kind in stored_contents()}
    assert kept(CONTENTS)[version()] == written, "run python -m tests.support.roles.golden_messages"
    for kind in stored_contents():
        for contents in kept(CONTENTS).values():
            for content in contents[kind.__name__]:
                unpack(kind, bytes.fromhex(content))


def _values():
    """What states of checked rounds are made of: all models of their modules that no blob holds."""
    names = (one.name for one in pkgutil.walk_packages(protocol.roles.__path__, "protocol.roles."))
    modules = [import_module(name) for name in names if OF_ROUNDS.search(name)]
    classes = {one for module in modules for one in vars(module).values() if isinstance(one, type)}
    models = {one for one in classes if issubclass(one, BaseModel)} - set(stored_contents())
    return {one for one in models if one.__module__.startswith("protocol.roles.")}
