"""A checker's questions made again: its own, and the one that it signed for the other."""

import pytest

from protocol.bodies import body_of
from protocol.codec import pack
from protocol.envelope import SignedMessage
from protocol.verification.transcript import Entry
from tests.support.roles.transcripts import after, entries_of, is_of, party_of, signed_of


def with_message(market, kind: str, change, *, own: bool) -> list[Entry]:
    """A member's entries, the first such message of its own or the other checker's signed anew."""
    party, other = market.owners[2], market.owners[3]
    sender = party if own else other
    entries = entries_of(market, party)
    for place, entry in enumerate(entries):
        if not is_of(entry, kind):
            continue
        signed = signed_of(entry, party)
        if signed.envelope.sender == sender.address:
            body = body_of(signed)
            again = SignedMessage.create(
                signed.envelope, pack(body.model_copy(update=change(body))), sender.signing_key
            )
            entries[place] = Entry.message(again, party.address, party.signing_key)
            return entries
    raise LookupError(kind)


def flipped(number: bytes) -> bytes:
    return number[:-1] + bytes([number[-1] ^ 1])


CHANGES = {
    "another β": lambda body: {"question_seed": flipped(body.question_seed)},
    "another seed of the test": lambda body: {"test_seed": flipped(body.test_seed)},
    "another test": lambda body: {"zero": body.request.masked[0]},
}


@pytest.mark.parametrize("own", [True, False])
@pytest.mark.parametrize("name", CHANGES)
def test_a_question_that_its_seeds_do_not_make_is_named(market, name, own):
    entries = with_message(market, "zero_test_shown", CHANGES[name], own=own)
    failure = after(market, "member", entries).failure
    assert (failure.code, failure.message, failure.round) == ("other_question", "zero_test_shown", 1)


def test_a_test_that_the_buyer_was_not_asked_about_is_none(market):
    entries = with_message(market, "zero_test_request", lambda body: {"zero": flipped(body.zero)}, own=True)
    assert after(market, "member", entries).failure.code == "other_question"


def test_a_question_that_the_buyer_was_not_asked_is_none(market):
    entries = with_message(
        market,
        "projection_request",
        lambda body: {"masked": (flipped(body.masked[0]), *body.masked[1:])},
        own=True,
    )
    assert after(market, "member", entries).failure.code == "other_question"


def test_a_consent_to_another_test_is_none(market):
    entries = with_message(market, "zero_test_consent", lambda body: {"zero": flipped(body.zero)}, own=True)
    assert after(market, "member", entries).failure.code == "not_countersigned"


def test_the_other_checkers_signature_is_of_this_question(market):
    entries = with_message(
        market, "zero_test_request", lambda body: {"signature": flipped(body.signature)}, own=True
    )
    assert after(market, "member", entries).failure.code in ("not_countersigned", "bad_signature")


def test_an_answer_that_the_buyer_proved_for_another_question_is_none(market):
    """The member shows its second round's answer for the first one's question."""
    party = party_of(market, "member")
    found = [signed_of(one, party) for one in entries_of(market, party) if is_of(one, "projection_answer")]
    assert len(found) == 2
    entries = with_message(market, "zero_test_shown", lambda _body: {"answer": found[1]}, own=True)
    assert after(market, "member", entries).failure.code == "other_question"
