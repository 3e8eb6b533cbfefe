"""Masks and seeds of a transcript: nobody reads them without the party's key, and none can be exchanged."""

import pytest

from protocol.bodies import body_of
from protocol.codec import pack, unpack
from protocol.crypto.own_box import seal_own
from protocol.messages.rounds import RoundEvidence
from protocol.roles.rounds.attempt import evidence_digest, masks_digest, shown_digest
from protocol.verification.hidden import HiddenMessage, is_secret
from protocol.verification.transcript import Entry, to_bytes
from tests.support.roles.transcripts import after, entries_of, is_of, party_of, sealed, signed_of, verified


def hidden_of(entry: Entry) -> HiddenMessage:
    return unpack(HiddenMessage, entry.content)


def secrets_of(market) -> list[bytes]:
    """Every mask, root and seed that was sent in the market."""
    found = []
    for signed in market.wire:
        body = body_of(signed)
        if body.type == "round_evidence":
            found += [*body.masks, *body.mask_roots]
        if body.type == "zero_test_shown":
            found += [body.question_seed, body.test_seed]
    return found


def test_no_file_has_a_mask_or_a_seed_in_it(market):
    secrets = secrets_of(market)
    assert len(secrets) > 20
    for name in ("buyer", "aggregator", "trainer", "member"):
        party = party_of(market, name)
        entries = entries_of(market, party)
        content, shown = to_bytes(sealed(party, entries)), repr(entries)
        assert not [one for one in secrets if one in content or repr(one)[2:-1] in shown]


def test_a_message_comes_out_of_its_box_as_it_was_signed(market):
    party = party_of(market, "member")
    for signed in market.wire:
        if party.address in (signed.envelope.sender, signed.envelope.recipient) and is_secret(signed):
            entry = Entry.message(signed, party.address, party.signing_key)
            assert signed_of(entry, party) == signed


def test_evidence_without_masks_has_the_digest_that_members_signed(market):
    signed = market.sent("round_evidence")[0]
    body = body_of(signed, RoundEvidence)
    assert shown_digest(body.without_masks(), masks_digest(body)) == evidence_digest(body)


def altered(market, change) -> tuple[list[Entry], int]:
    """A member's entries, the first evidence with other fields beside its box."""
    entries = entries_of(market, party_of(market, "member"))
    place = next(number for number, one in enumerate(entries) if is_of(one, "round_evidence"))
    found = hidden_of(entries[place])
    changed = found.model_copy(update=change(found))
    entries[place] = Entry(kind="hidden", content=pack(changed))
    return entries, place


def other_masks(party):
    return lambda found: {"box": seal_own(party.signing_key, found.box)}


CHANGES = {
    "box of another key": (lambda found: {"box": seal_own(b"k" * 32, b"masks")}, "not_opened"),
    "box of something else": (None, "malformed"),
    "altered box": (lambda found: {"box": found.box[:-1] + bytes([found.box[-1] ^ 1])}, "not_opened"),
    "other digest of masks": (lambda _found: {"masks": b"m" * 32}, "other_masks"),
    "other evidence": (lambda found: {"shown": found.shown.model_copy(update={"members": ()})}, "not_opened"),
    "other signature": (
        lambda found: {"signature": bytes([found.signature[0] ^ 1]) + found.signature[1:]},
        "bad_signature",
    ),
}


@pytest.mark.parametrize("name", CHANGES)
def test_what_the_party_changes_of_a_box_is_named(market, name):
    change, code = CHANGES[name]
    entries, place = altered(market, change or other_masks(party_of(market, "member")))
    failure = after(market, "member", entries).failure
    assert failure.code == code
    assert failure.message in (f"entry {place + 1}", f"round_evidence from {market.aggregator.address}")


@pytest.mark.parametrize("field", ["masks", "next_model", "request"])
def test_who_cannot_open_boxes_finds_other_evidence_beside_one(market, field):
    party, own = party_of(market, "member"), entries_of(market, party_of(market, "member"))
    second = [hidden_of(one) for one in own if is_of(one, "round_evidence")][1]
    if field == "masks":
        entries, _ = altered(market, lambda _found: {"masks": second.masks})
    else:
        other = {field: getattr(second.shown, field)}
        entries, _ = altered(market, lambda found: {"shown": found.shown.model_copy(update=other)})
    failure = verified(sealed(party, entries)).failure
    assert (failure.code, failure.round) in {
        ("other_evidence", 1),
        ("wrong_evidence", 1),
        ("other_attempt", 1),
    }
