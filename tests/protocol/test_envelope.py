"""The envelope's signature covers every field, and the seal holds body and signature."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from protocol.codec import pack, unpack
from protocol.envelope import Envelope, SignedMessage
from protocol.errors import ProtocolViolation
from protocol.records import Market
from protocol.signatures import address_of

KEY, OTHER_KEY = b"\x01" * 32, b"\x02" * 32
MARKET = Market(chain_id=31337, contract="0x" + "c0" * 20)
ENVELOPE = Envelope(
    message_id=b"i" * 16,
    type="model_request",
    training=7,
    round=3,
    attempt=1,
    sender=address_of(KEY),
    recipient=address_of(OTHER_KEY),
    sent_at=1_700_000_000_000,
    chain_id=MARKET.chain_id,
    contract=MARKET.contract,
)
CHANGES: dict[str, Any] = {
    "version": "2.1",
    "message_id": b"j" * 16,
    "type": "model_received",
    "training": 8,
    "round": 4,
    "attempt": 2,
    "sender": address_of(b"\x03" * 32),
    "recipient": address_of(b"\x03" * 32),
    "sent_at": 1_700_000_000_001,
    "chain_id": 1,
    "contract": "0x" + "c1" * 20,
}


def signed(body: bytes = b"body") -> SignedMessage:
    return SignedMessage.create(ENVELOPE, body, KEY)


def assert_forged(message: SignedMessage) -> None:
    with pytest.raises(ProtocolViolation) as caught:
        message.verify(Market(chain_id=message.envelope.chain_id, contract=message.envelope.contract))
    assert caught.value.code == "bad_signature"


@given(st.binary(max_size=300))
def test_an_honest_message_passes_also_after_sealing(body: bytes) -> None:
    message = signed(body)
    message.verify(MARKET)
    opened = SignedMessage.from_parts(ENVELOPE, message.sealed_part())
    opened.verify(MARKET)
    assert opened == message
    assert unpack(SignedMessage, pack(message)) == message


def test_the_changes_below_name_every_field() -> None:
    assert set(CHANGES) == set(Envelope.model_fields)


@pytest.mark.parametrize("field", sorted(CHANGES))
def test_any_other_field_breaks_the_signature(field: str) -> None:
    message = signed()
    envelope = ENVELOPE.model_copy(update={field: CHANGES[field]})
    assert_forged(message.model_copy(update={"envelope": envelope}))
    assert envelope.signing_digest(b"body") != ENVELOPE.signing_digest(b"body")


@given(st.integers(0, 64), st.integers(0, 7))
def test_any_flipped_bit_of_the_signature_breaks_it(place: int, bit: int) -> None:
    signature = bytearray(signed().signature)
    signature[place] ^= 1 << bit
    assert_forged(signed().model_copy(update={"signature": bytes(signature)}))


@pytest.mark.parametrize("body", [b"", b"Body", b"body\0"])
def test_another_body_breaks_the_signature(body: bytes) -> None:
    assert_forged(signed().model_copy(update={"body": body}))


def test_somebody_else_s_key_does_not_sign_for_the_sender() -> None:
    assert_forged(SignedMessage.create(ENVELOPE, b"body", OTHER_KEY))


@pytest.mark.parametrize("change", [{"chain_id": 1}, {"contract": "0x" + "c1" * 20}])
def test_what_is_signed_for_one_market_counts_in_no_other(change: dict[str, Any]) -> None:
    with pytest.raises(ProtocolViolation) as caught:
        signed().verify(MARKET.model_copy(update=change))
    assert caught.value.code == "wrong_market"
    assert MARKET.contract in caught.value.detail


def test_what_is_stored_of_version_1_is_read_and_believed_in_no_market() -> None:
    stored = {**ENVELOPE.model_dump(exclude={"chain_id", "contract"}), "version": "1.0"}
    message = SignedMessage.create(Envelope.model_validate(stored), b"body", KEY)
    assert unpack(SignedMessage, pack(message)) == message
    with pytest.raises(ProtocolViolation) as caught:
        message.verify(MARKET)
    assert caught.value.code == "unsupported_version"
    assert "CHANGELOG.md" in caught.value.detail


def test_values_do_not_slip_from_one_field_into_the_next() -> None:
    swapped = ENVELOPE.model_copy(update={"round": 1, "attempt": 3})
    assert swapped.signing_digest(b"") != ENVELOPE.signing_digest(b"")


def test_the_digest_names_message_and_signature() -> None:
    message = signed()
    others = [signed(b"other"), SignedMessage.create(ENVELOPE, b"body", OTHER_KEY)]
    assert message.digest() == signed().digest()
    assert len({message.digest(), *(other.digest() for other in others)}) == 3


@pytest.mark.parametrize("opened", [b"", b"body", pack(ENVELOPE), b"\x80"])
def test_a_seal_with_something_else_is_refused(opened: bytes) -> None:
    with pytest.raises(ProtocolViolation, match="malformed"):
        SignedMessage.from_parts(ENVELOPE, opened)


@pytest.mark.parametrize(
    "change",
    [
        {"version": "3.0"},
        {"version": "2"},
        {"message_id": b"short"},
        {"type": "Bad Type"},
        {"training": -1},
        {"round": 10_001},
        {"attempt": 1_001},
        {"sender": "0x" + "A" * 40},
        {"sent_at": -1},
        {"unknown": 1},
    ],
)
def test_impossible_envelopes_are_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Envelope.model_validate({**ENVELOPE.model_dump(), **change})
