"""What the tables of the three roles do not allow changes nothing, whoever sends it."""

import pytest

from protocol.errors import ProtocolViolation
from protocol.messages import MESSAGE_TYPES
from protocol.roles.dispatch import ROLES, decode_state
from protocol.roles.engine.inputs import input_name
from protocol.roles.engine.refusals import EarlyInput
from tests.support.roles.phases import (
    INPUT_NAMES,
    MACHINES,
    PHASES,
    Snapshot,
    message_of,
    sample_bodies,
    sample_input,
    snapshots,
)
from tests.support.roles.pure_party import Party

STRANGER = Party("data_owner", b"\5" * 32, b"\6" * 32)
EVERY_PHASE = pytest.mark.parametrize(("role", "phase"), PHASES, ids=str)


def allowed_messages(role: str, phase: str) -> list[str]:
    return [name for name in MACHINES[role].table[phase] if name in MESSAGE_TYPES]


def test_tables_name_only_inputs_that_exist() -> None:
    for machine in MACHINES.values():
        assert set(machine.table) == set(machine.phases)
        for row in machine.table.values():
            assert set(row) <= set(INPUT_NAMES)


def test_no_input_of_a_phase_stands_in_two_rows() -> None:
    for machine in MACHINES.values():
        places = [(phase, row.input) for row in machine.rows for phase in row.phases]
        assert len(places) == len(set(places))


def test_a_row_leads_to_phases_of_its_role_and_says_why() -> None:
    for machine in MACHINES.values():
        for row in machine.rows:
            for phase in row.phases:
                assert set(row.next_phases(phase)) <= set(machine.phases), row
            assert row.why.endswith("."), row


def test_every_phase_can_be_reached_and_ended() -> None:
    for machine in MACHINES.values():
        arrows = {
            (phase, target)
            for phase, allowed in machine.table.items()
            for row in allowed.values()
            for target in row.next_phases(phase)
        }
        reached, ended = {machine.phases[0]}, set(ROLES[machine.role].FINAL)
        for _ in machine.phases:
            reached |= {target for phase, target in arrows if phase in reached}
            ended |= {phase for phase, target in arrows if target in ended}
        assert reached == ended == set(machine.phases)


def test_every_message_a_table_allows_has_a_route_to_that_role() -> None:
    for role, machine in MACHINES.items():
        for row in machine.table.values():
            for name in row:
                if name in MESSAGE_TYPES:
                    routes = MESSAGE_TYPES[name].catalogue.routes
                    assert any(recipient == role for _, recipient in routes), (role, name)


@EVERY_PHASE
def test_an_input_that_is_not_allowed_changes_nothing(role: str, phase: str) -> None:
    machine = MACHINES[role]
    later = machine.phases[machine.phases.index(phase) + 1 :]
    for snapshot in snapshots()[(role, phase)]:
        party = snapshot.party
        state = party.decoded
        for name in INPUT_NAMES:
            if name in machine.table[phase]:
                continue
            item = sample_input(name, party, snapshot.market.aggregator)
            assert input_name(item) == name
            if any(name in machine.table[other] for other in later):
                with pytest.raises(EarlyInput):
                    machine.step(state, item, snapshot.market.context(party))
                continue
            step = machine.step(state, item, snapshot.market.context(party))
            assert step.state is state
            assert not step.progressed
            assert [effect.name for effect in step.effects] == ["input_ignored"]


@EVERY_PHASE
def test_a_body_that_cannot_be_read_changes_nothing(role: str, phase: str) -> None:
    for snapshot in snapshots()[(role, phase)]:
        for name in allowed_messages(role, phase):
            for body in (b"", b"\xc1", b"\x80", b"\x81\xa4type\xa5other"):
                item = message_of(snapshot.market.aggregator, snapshot.party, name, body)
                with pytest.raises(ProtocolViolation, match="malformed"):
                    MACHINES[role].step(snapshot.party.decoded, item, snapshot.market.context(snapshot.party))


@EVERY_PHASE
def test_a_body_of_another_type_changes_nothing(role: str, phase: str) -> None:
    body, *_ = sample_bodies()["round_signature"]
    for snapshot in snapshots()[(role, phase)]:
        for name in set(allowed_messages(role, phase)) - {"round_signature"}:
            item = message_of(snapshot.market.aggregator, snapshot.party, name, body)
            with pytest.raises(ProtocolViolation, match="type_mismatch"):
                MACHINES[role].step(snapshot.party.decoded, item, snapshot.market.context(snapshot.party))


@EVERY_PHASE
def test_a_message_from_someone_else_changes_nothing(role: str, phase: str) -> None:
    bodies = sample_bodies()
    for snapshot in snapshots()[(role, phase)]:
        for name in allowed_messages(role, phase):
            for sender in impostors(snapshot, name):
                body, *place = bodies[name]
                item = message_of(sender, snapshot.party, name, body, *place)
                step = snapshot.market.deliver(snapshot.copy(), item)
                assert step is not None
                assert decode_state(role, step.state) == snapshot.party.decoded, (name, sender.role)
                assert {effect.effect for effect in step.effects} <= {"violation", "fact"}, (
                    name,
                    sender.role,
                )


def impostors(snapshot: Snapshot, name: str) -> list[Party]:
    """A stranger, and one party of every role that has no route for this message."""
    party, market = snapshot.party, snapshot.market
    senders = {
        sender for sender, recipient in MESSAGE_TYPES[name].catalogue.routes if recipient == party.role
    }
    others = [
        one for one in (market.buyer, market.aggregator, *market.owners) if one.address != party.address
    ]
    return [STRANGER, *(one for one in others if one.role not in senders)]


def test_every_phase_was_seen() -> None:
    assert set(snapshots()) == set(PHASES)
