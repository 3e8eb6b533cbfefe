"""One of every message there and back over the wire; unknown fields and types refused."""

from typing import Any

import msgpack  # type: ignore[import-untyped]
import pytest
from pydantic import ValidationError

from protocol import messages as m
from protocol.codec import pack, unpack
from protocol.data_card import cards_digest
from protocol.envelope import Envelope, SignedMessage
from protocol.errors import ProtocolViolation
from protocol.marketplace import Withdrawn
from protocol.messages import MESSAGE_TYPES, Message
from protocol.messages.examples import any_card
from protocol.messages.rounds import CHECKED_TYPES
from protocol.owner_policy import OwnerPolicy
from protocol.records import Market
from protocol.signatures import address_of
from protocol.types import FrozenModel
from protocol.vectors import EncryptedVector
from tests.support.deployment.documents import RECORD, any_request

KEY = b"\x01" * 32
PARTY, OTHER = address_of(KEY), "0x" + "cd" * 20
DIGEST, SIGNATURE = b"d" * 32, b"s" * 65
HUGE = 3**2000
MARKET = Market(chain_id=31337, contract="0x" + "c0" * 20)
VECTOR = EncryptedVector(key_id=DIGEST, scale=64, ciphertexts=(b"\1" * 128, b"\2" * 128))
SIGNED = SignedMessage.create(
    Envelope(
        message_id=b"i" * 16,
        type="model_request",
        training=1,
        sender=PARTY,
        recipient=OTHER,
        sent_at=5,
        **MARKET.model_dump(),
    ),
    b"body",
    KEY,
)

SAMPLES: list[FrozenModel] = [
    m.OwnerAnnouncement(model_kinds=("linear_regression",), cards=(any_card(),)),
    m.AnnouncementAnswer(accepted=True, code="admitted", cards=DIGEST),
    m.CardsOrder(aggregators=(PARTY, OTHER)),
    m.CardsRequest(after=PARTY, known=(DIGEST,) * 256),
    m.CardsAnswer(
        after=None,
        owners=(m.OwnerCards(owner=PARTY, digest=cards_digest((any_card(),)), cards=1),),
        cards=(any_card(),),
        last=False,
    ),
    m.TrainingRequest(
        request=any_request(),
        public_key=HUGE,
        key_proof=(b"\1" * 64,) * 11,
    ),
    m.RequestAnswer(accepted=False, code="bad_key"),
    m.Invitation(request=any_request(), public_key=HUGE, key_proof=(b"\1",), join_until=1_700_000_000),
    m.InvitationAnswer(
        decision="accepted", code="accepted", card=DIGEST, commitment=DIGEST, committed=DIGEST
    ),
    m.InvitationAnswer(decision="declined", code="declined_by_person"),
    m.AdmissionRequest(
        owner=PARTY, card=DIGEST, commitment=DIGEST, committed=DIGEST, aggregator_signature=SIGNATURE
    ),
    m.AdmissionAnswer(owner=PARTY, commitment=DIGEST, code="admitted", buyer_signature=SIGNATURE),
    m.AdmissionOrder(training=7, owner=PARTY, admit=False),
    m.JoiningProgress(asked=5, joined=2, declined=(m.OwnersByCode(code="pay_below_least", owners=1),)),
    m.EncryptedModel(model=VECTOR),
    m.Opening(plaintexts=(HUGE,), roots=(HUGE,), record=RECORD, signature=SIGNATURE),
    m.OpeningRefused(),
    m.RoundSignature(signature=SIGNATURE),
    m.RoundCompleted(
        v0=10**21,
        mse_after=10**20,
        own=(1, HUGE),
        cross=(-HUGE, 0),
        contributions=(m.Contribution(trainer=PARTY, shapley=-(10**21), pay_weight=0),),
        last=False,
    ),
    m.TrainedModel(model=VECTOR),
    m.ModelReceived(digest=DIGEST),
    m.ModelRequest(),
    m.ModelRefused(code="no_model_here"),
    m.InformationShare(share=b"\5" * 24),
    m.InformationSum(silent=("0x" + "11" * 20,)),
    m.ParticipantDropped(participant=PARTY, from_round=3, code="silent"),
    m.Complaint(code="bad_opening", accused=OTHER, evidence=(SIGNED,)),
    m.TrainingFailed(code="too_few_trainers", fault=None, last_round=2),
    m.ChainEvent(
        event=Withdrawn(account=PARTY, amount=(1 << 256) - 1),
        chain_id=1337,
        block_number=5,
        block_hash=DIGEST,
        transaction_hash=DIGEST,
        log_index=0,
        timestamp=1_700_000_000,
        removed=True,
    ),
    m.TrainingOrder(request=any_request(start={"start": "zero"})),
    m.OwnerDecision(training=1, accept=True, data_set="diabetes"),
    m.PolicyOrder(policy=OwnerPolicy(automatic=True, columns=("x", "y"), minimum_pay_wei=10**18)),
    m.WithdrawOrder(),
    m.StopOrder(training=1, reason="Enough of it"),
    *(kind.catalogue.example() for kind in CHECKED_TYPES.values()),
]
NAMES = [type(sample).__name__ for sample in SAMPLES]


def wire(sample: FrozenModel, **changes: Any) -> bytes:
    content = msgpack.unpackb(pack(sample), strict_map_key=False)
    return bytes(msgpack.packb({**content, **changes}, use_bin_type=True))


def test_there_is_a_sample_of_every_type() -> None:
    assert {type(sample) for sample in SAMPLES} == set(MESSAGE_TYPES.values())
    for name, kind in MESSAGE_TYPES.items():
        assert kind.model_fields["type"].default == name


@pytest.mark.parametrize("sample", SAMPLES, ids=NAMES)
def test_messages_survive_the_wire(sample: FrozenModel) -> None:
    content = pack(sample)
    received = unpack(Message, content)
    assert type(received) is type(sample)
    assert received == sample
    assert pack(received) == content == wire(sample)


@pytest.mark.parametrize("sample", SAMPLES, ids=NAMES)
def test_an_unknown_field_is_refused(sample: FrozenModel) -> None:
    with pytest.raises(ProtocolViolation, match="extra_forbidden"):
        unpack(Message, wire(sample, extra=1))


@pytest.mark.parametrize("sample", SAMPLES, ids=NAMES)
def test_a_missing_field_is_refused(sample: FrozenModel) -> None:
    content = msgpack.unpackb(pack(sample), strict_map_key=False)
    for name, field in type(sample).model_fields.items():
        if not field.is_required() and name != "type":
            continue
        rest = {key: value for key, value in content.items() if key != name}
        with pytest.raises(ProtocolViolation, match="malformed"):
            unpack(Message, msgpack.packb(rest, use_bin_type=True))


@pytest.mark.parametrize("name", ["", "model", "ModelRequest", "model_request ", "type", 3, None])
def test_an_unknown_type_is_refused(name: object) -> None:
    with pytest.raises(ProtocolViolation, match="malformed"):
        unpack(Message, msgpack.packb({"type": name}))


@pytest.mark.parametrize("sample", SAMPLES, ids=NAMES)
def test_a_message_cannot_be_changed(sample: FrozenModel) -> None:
    with pytest.raises(ValidationError, match="frozen"):
        sample.type = "other"  # type: ignore[attr-defined]


def test_routes_are_between_parties_or_from_an_operator() -> None:
    parties = {"model_buyer", "federated_aggregator", "data_owner"}
    for kind in MESSAGE_TYPES.values():
        for sender, recipient in kind.catalogue.routes:
            assert sender in parties | {"operator"}
            assert recipient in parties


def test_chain_events_come_from_no_peer() -> None:
    assert m.ChainEvent.catalogue.routes == ()


def test_masked_values_go_to_the_buyer_only_and_a_checkers_never_past_the_aggregator() -> None:
    assert MESSAGE_TYPES["moment_request"].catalogue.routes == (("federated_aggregator", "model_buyer"),)
    assert MESSAGE_TYPES["projection_request"].catalogue.routes == (("data_owner", "model_buyer"),)


@pytest.mark.parametrize("name", ["training_order", "owner_decision", "stop_order"])
def test_orders_come_from_the_operator_only(name: str) -> None:
    assert {sender for sender, _ in MESSAGE_TYPES[name].catalogue.routes} == {"operator"}


@pytest.mark.parametrize(
    ("sample", "change"),
    [
        ("Opening", {"roots": [(-5).to_bytes(1, "big", signed=True)]}),
        ("Opening", {"plaintexts": ()}),
        ("ShownMetrics", {"metrics": ()}),
        ("MomentRequest", {"trainers": 1}),
        ("MomentRequest", {"trainers": 257}),
        ("CheckedStarted", {"trainers": (PARTY.upper(),)}),
        ("CheckedStarted", {"trainers": (PARTY,) * 257}),
        ("OpeningRefused", {"code": "other"}),
        ("InvitationAnswer", {"code": "asks_person"}),
        ("InvitationAnswer", {"decision": "declined"}),
        ("InvitationAnswer", {"decision": "waiting", "code": "declined_by_person"}),
        ("RoundSignature", {"signature": b"s" * 64}),
        ("ModelReceived", {"digest": b"d" * 33}),
        ("ChainEvent", {"event": {"event": "Unheard"}}),
        ("StopOrder", {"reason": "two\nlines"}),
    ],
)
def test_values_out_of_bounds_are_refused(sample: str, change: dict[str, Any]) -> None:
    with pytest.raises(ProtocolViolation, match="malformed"):
        unpack(Message, wire(SAMPLES[NAMES.index(sample)], **change))


def test_a_relayed_message_still_verifies() -> None:
    received = unpack(Message, pack(m.Complaint(code="bad_opening", accused=OTHER, evidence=(SIGNED,))))
    received.evidence[0].verify(MARKET)
    assert received.evidence[0].digest() == SIGNED.digest()
