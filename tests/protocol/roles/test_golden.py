"""States that were packed by this version, or by one before it, are read: new fields need defaults."""

import pytest

from protocol.codec import pack, unpack
from protocol.roles.dispatch import ROLES, decode_state, early_references
from tests.support.roles.golden_states import FOLDER, version

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
