"""What the administrator's plan says before any broker is asked."""

import re

import pytest
from pydantic import ValidationError

from services.bus.broker.topology import ParticipantPlace, Places, topology_of
from services.bus.naming import DEAD_QUEUE, EXCHANGE, queue_name

OWNER, BUYER = "0x" + "a1" * 20, "0x" + "b1" * 20


def place(role: str, address: str, **fields: object) -> ParticipantPlace:
    return ParticipantPlace(role=role, address=address, **fields)  # type: ignore[arg-type]


def test_an_address_in_two_roles_is_one_user_with_both_queues() -> None:
    topology = topology_of(Places(participants=(place("data_owner", OWNER), place("model_buyer", OWNER))))
    [user] = topology.users
    for role in ("data_owner", "model_buyer"):
        assert re.search(user.read, queue_name(role, OWNER))
    assert len(topology.queues) == 1 + 2 + 2
    assert len(set(topology.bindings)) == len(topology.bindings)


def test_nobody_configures_and_nobody_reads_another() -> None:
    places = Places(participants=(place("data_owner", OWNER), place("model_buyer", BUYER)))
    topology = topology_of(places)
    queues = set(topology.queues)
    for user in topology.users:
        readable = {name for name in queues if re.search(user.read, name)}
        assert readable == {name for name in queues if user.name in name}
        assert DEAD_QUEUE not in readable
        assert not any(re.search(user.write, name) for name in (*queues, "amq.default", ""))


def test_dots_in_names_are_dots() -> None:
    topology = topology_of(Places(participants=(place("data_owner", OWNER),)))
    [user] = topology.users
    assert not re.search(user.read, queue_name("data_owner", OWNER).replace(".", "x"))
    assert not re.search(user.topics[EXCHANGE], f"federated_aggregatorx{BUYER}xcomplaint")
    assert re.search(user.topics[EXCHANGE], f"federated_aggregator.{BUYER}.complaint")


@pytest.mark.parametrize(
    "participants",
    [
        [{"role": "data_owner", "address": OWNER}, {"role": "data_owner", "address": OWNER.upper()}],
        [
            {"role": "data_owner", "address": OWNER, "password_file": "a"},
            {"role": "model_buyer", "address": OWNER, "password_file": "b"},
        ],
        [{"role": "administrator", "address": OWNER}],
        [{"role": "data_owner", "address": "0x12"}],
    ],
)
def test_impossible_lists_are_refused(participants: list[dict[str, str]]) -> None:
    with pytest.raises(ValidationError):
        Places.model_validate({"participants": participants})
