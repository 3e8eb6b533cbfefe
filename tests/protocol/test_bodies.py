"""Bodies of later minor versions: new fields are passed over, signatures hold, the rest is strict as ever."""

from typing import Annotated

import msgpack
import pytest
from pydantic import Field

from protocol import bodies
from protocol.bodies import body_of
from protocol.codec import pack
from protocol.envelope import MAJOR, MINOR, VERSION, Envelope, SignedMessage
from protocol.errors import ProtocolViolation
from protocol.messages import EncryptedModel, InvitationAnswer
from protocol.messages.rounds import ProvenUpdate
from protocol.records import Market
from protocol.signatures import address_of
from protocol.vectors import EncryptedVector

KEY = b"\x01" * 32
MARKET = Market(chain_id=31337, contract="0x" + "c0" * 20)
NEXT = f"{MAJOR}.{MINOR + 1}"
VECTOR = EncryptedVector(key_id=b"k" * 32, scale=64, ciphertexts=(b"c" * 16,))
ANSWER = InvitationAnswer(decision="declined", code="declined_by_person")


class NextAnswer(InvitationAnswer):
    """The same message one minor version later."""

    hint: Annotated[str, Field(max_length=40)] = ""


def signed(body: bytes, version: str = NEXT, kind: str = "invitation_answer") -> SignedMessage:
    envelope = Envelope(
        version=version,
        message_id=b"i" * 16,
        type=kind,
        training=7,
        sender=address_of(KEY),
        recipient=address_of(KEY),
        sent_at=1,
        **MARKET.model_dump(),
    )
    return SignedMessage.create(envelope, body, KEY)


def with_field(value: object) -> bytes:
    return msgpack.packb({**value.model_dump(), "hint": "of a later version"})


def refusal(message: SignedMessage, *kind: type) -> str:
    with pytest.raises(ProtocolViolation) as caught:
        body_of(message, *kind)
    return caught.value.code


@pytest.mark.parametrize("kind", [(), (InvitationAnswer,)])
def test_a_field_of_a_later_minor_version_is_passed_over_and_the_signature_holds(kind):
    message = signed(pack(NextAnswer(decision="declined", code="declined_by_person", hint="new")))
    assert body_of(message, *kind) == ANSWER
    message.verify(MARKET)
    relayed = SignedMessage.from_parts(message.envelope, message.sealed_part())
    relayed.verify(MARKET)
    assert relayed.digest() == message.digest()


def test_the_next_minor_version_reads_todays_messages(monkeypatch):
    known = NextAnswer(decision="declined", code="declined_by_person")
    assert body_of(signed(pack(ANSWER), VERSION), NextAnswer) == known
    monkeypatch.setitem(bodies.MESSAGE_TYPES, "invitation_answer", NextAnswer)
    message = signed(pack(NextAnswer(decision="declined", code="declined_by_person", hint="new")))
    assert body_of(message).hint == "new"


@pytest.mark.parametrize("kind", [(), (InvitationAnswer,)])
def test_an_unknown_field_of_this_version_is_refused(kind):
    assert refusal(signed(with_field(ANSWER), VERSION), *kind) == "malformed"


@pytest.mark.parametrize("kind", [(), (InvitationAnswer,)])
def test_what_is_known_is_checked_as_ever(kind):
    for changes in ({"decision": 1}, {"decision": "maybe"}, {"type": "model_request"}):
        body = msgpack.packb({**ANSWER.model_dump(), "hint": "new", **changes})
        assert refusal(signed(body), *kind) in ("malformed", "type_mismatch")
    body = msgpack.packb({"type": "invitation_answer", "hint": "new"})
    assert refusal(signed(body), *kind) == "malformed"
    assert refusal(signed(b"\xc1"), *kind) == "malformed"


def test_what_has_a_digest_does_not_change_within_a_major_version():
    inner = {**VECTOR.model_dump(), "hint": "new"}
    for kind, body in (
        ("encrypted_model", {"type": "encrypted_model", "model": inner}),
        (
            "proven_update",
            {**ProvenUpdate.catalogue.example().model_dump(), "local_model": inner},
        ),
    ):
        assert refusal(signed(msgpack.packb(body), kind=kind)) == "malformed"
    good = msgpack.packb({**EncryptedModel(model=VECTOR).model_dump(), "hint": "new"})
    assert body_of(signed(good, kind="encrypted_model")) == EncryptedModel(model=VECTOR)


def test_a_type_of_a_later_version_is_unknown():
    assert refusal(signed(b"", kind="progress_note")) == "unknown_type"
