"""Whatever a message holds, its size is looked at before its sense, and nothing grows with what it says."""

import asyncio
import json
import sys

import pytest

from protocol.errors import ProtocolViolation
from services.identity.admission import Admission
from services.identity.directory import Directory
from tests.support.daemons.service_world import MARKET, FakeChain, Person
from tests.support.hostile.envelopes import OPERATOR, honest, hostile_deliveries, routes

OTHER_ROLE = {
    "model_buyer": "data_owner",
    "data_owner": "federated_aggregator",
    "federated_aggregator": "model_buyer",
}


@pytest.mark.parametrize(("kind", "sender_role", "role"), routes())
async def test_what_is_hostile_is_refused_by_its_name_and_what_is_honest_is_not(kind, sender_role, role):
    recipient = Person(role)
    sender = recipient if sender_role == OPERATOR else Person(sender_role)
    allowed = {sender for name, sender, to in routes() if (name, to) == (kind, role)}
    wrong = Person(next((other for other in OTHER_ROLE if other not in allowed), role))
    gate = Admission(recipient.identity, MARKET, role, Directory(FakeChain(sender, recipient, wrong)))
    for hostile in hostile_deliveries(kind, sender, recipient, stranger=Person(role), wrong=wrong):
        if hostile.name == "wrong_role" and len(allowed) == len(OTHER_ROLE):
            continue  # a complaint may come from everybody
        with pytest.raises(ProtocolViolation) as caught:
            await gate.admit(hostile.delivery)
        assert caught.value.code == hostile.code, (hostile.name, caught.value.detail)
        assert len(caught.value.detail) < 400
    await gate.admit(honest(sender, recipient, kind))


@pytest.mark.parametrize(
    ("kind", "mebibytes", "how", "most_mebibytes"),
    [
        ("complaint", 1, "signed", 16),
        ("complaint", 16, "unsigned", 64),
        ("complaint", 16, "signed", 96),
        ("metric_products", 16, "signed", 96),
        ("model_request", 16, "unsigned", 4),
    ],
)
async def test_nils_cost_no_more_than_their_bytes(kind, mebibytes, how, most_mebibytes):
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.support.hostile.measured", kind, str(mebibytes), how),
        stdout=asyncio.subprocess.PIPE,
    )
    output, _ = await process.communicate()
    found = json.loads(output)
    assert found["code"] == ("oversized" if kind == "model_request" else "malformed")
    assert found["mebibytes"] < most_mebibytes
    assert found["seconds"] < 1
