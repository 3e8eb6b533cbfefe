"""Every type of message at the door of every role, in every hostile way; a new type is covered by itself.

No broker: what is looked at is admission and what follows it, as far as the store.
"""

from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from functools import cached_property

import pytest

from protocol.errors import ProtocolViolation
from protocol.messages import MESSAGE_TYPES
from protocol.messages.catalogue import OPERATOR, PARTIES
from services.identity.admission import Admission
from services.identity.directory import Directory
from services.runtime.receiver import Receiver
from services.store import Store
from tests.support.daemons.scripted_daemon import resources_of
from tests.support.daemons.service_world import MARKET, FakeChain, Person
from tests.support.hostile.envelopes import Hostile, honest, hostile_deliveries, routes, with_body

ROUTES = routes(MESSAGE_TYPES)
TYPES = list(MESSAGE_TYPES)
UNROUTED = [
    (kind, role)
    for kind in TYPES
    for role in PARTIES
    if role not in {to for _, to in MESSAGE_TYPES[kind].catalogue.routes}
]


@dataclass
class Door:
    """A participant of one role, its peers of every role, and a stranger."""

    role: str
    resources: ExitStack
    people: dict[str, Person] = field(default_factory=lambda: {role: Person(role) for role in PARTIES})
    stranger: Person = field(default_factory=lambda: Person("data_owner"))

    def __post_init__(self) -> None:
        self.me = Person(self.role)
        self.chain = FakeChain(self.me, *self.people.values())
        self.admission = Admission(self.me.identity, MARKET, self.role, Directory(self.chain))
        self.woken: list[str] = []

    @cached_property
    def store(self) -> Store:
        """Made for those who come so far: it takes more time than to refuse a message."""
        return self.resources.enter_context(closing(Store()))

    @cached_property
    def receiver(self) -> Receiver:
        return Receiver(resources_of(self.me, self.chain, self.store), self.woken.append)

    def sender(self, role: str) -> Person:
        """Somebody of this role; an operator's orders bear the participant's own name."""
        return self.me if role == OPERATOR else self.people[role]

    def wrong(self, kind: str) -> Person:
        """Somebody registered who may not send this type here; for lack of such a role, ourselves."""
        allowed = {sender for sender, to in MESSAGE_TYPES[kind].catalogue.routes if to == self.role}
        return next((person for role, person in self.people.items() if role not in allowed), self.me)

    def attacks(self, kind: str, sender_role: str) -> list[Hostile]:
        """Every hostile message of the type: from one who may send it, one who may not, a stranger."""
        people = {"stranger": self.stranger, "wrong": self.wrong(kind)}
        return list(hostile_deliveries(kind, self.sender(sender_role), self.me, **people))

    async def refusal(self, delivery) -> str:
        with pytest.raises(ProtocolViolation) as caught:
            await self.admission.admit(delivery)
        return caught.value.code

    def stored(self) -> int:
        """Inputs that wait for a step, of all instances that were woken."""
        return sum(self.store.next_input(key) is not None for key in set(self.woken))


@pytest.fixture
def door_of():
    with ExitStack() as resources:
        yield lambda role: Door(role, resources)


def named(value: object) -> str:
    return value if isinstance(value, str) else "-".join(value)  # type: ignore[arg-type]


@pytest.mark.parametrize("route", ROUTES, ids=named)
async def test_whoever_may_send_it_is_heard(door_of, route):
    kind, sender, role = route
    door = door_of(role)
    signed = await door.admission.admit(honest(door.sender(sender), door.me, kind))
    assert signed.envelope.type == kind


@pytest.mark.parametrize("route", ROUTES, ids=named)
async def test_every_hostile_form_is_refused_by_its_name_and_leaves_nothing(door_of, route):
    kind, sender, role = route
    door = door_of(role)
    attacks = door.attacks(kind, sender)
    await door.receiver.take([attack.delivery for attack in attacks])
    assert [attack.delivery.refused[0] for attack in attacks] == [attack.code for attack in attacks]
    assert max(len(attack.delivery.refused[1]) for attack in attacks) < 400
    assert not any(attack.delivery.acked for attack in attacks)
    assert door.woken == []


@pytest.mark.parametrize(("kind", "role"), UNROUTED)
async def test_nobody_may_send_it_to_this_role(door_of, kind, role):
    door = door_of(role)
    for sender in (*door.people.values(), door.me):
        assert await door.refusal(honest(sender, door.me, kind)) == "wrong_route", sender.role
    assert await door.refusal(honest(door.stranger, door.me, kind)) in {"wrong_route", "not_registered"}


@pytest.mark.parametrize("route", ROUTES, ids=named)
async def test_a_replay_is_stored_once_and_its_id_serves_no_other_content(door_of, route):
    kind, sender, role = route
    door = door_of(role)
    message_id = b"r" * 16
    once = honest(door.sender(sender), door.me, kind, message_id=message_id)
    again = type(once)(once.envelope_fields, once.body)
    renamed = type(once)({**once.envelope_fields, "message_id": b"s" * 16}, once.body)
    other = honest(door.sender(sender), door.me, kind, message_id=message_id, sent_at=2)
    elsewhere = honest(door.sender(sender), door.people["data_owner"], kind, message_id=message_id)
    batch = [once, again, renamed, other, elsewhere]
    await door.receiver.take(batch)
    codes = [None if one.refused is None else one.refused[0] for one in batch]
    if codes[0] is None:
        assert codes == [None, None, "bad_signature", "replayed", "wrong_recipient"]
        assert door.stored() == 1
    else:  # a role without a shell of its own has no place for what is outside all trainings
        assert codes[2] == "bad_signature"


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("role", PARTIES)
async def test_bytes_at_random_are_refused(door_of, kind, role):
    door = door_of(role)
    for body in (b"\x00", b"\xff" * 64, b"{}", b"\xc1" * 1000):
        delivery = with_body(door.people["federated_aggregator"], door.me, kind, body)
        assert await door.refusal(delivery) in {"malformed", "wrong_route"}
