"""A party that writes its whole store anew, against the heads that it told others while it worked."""

import pytest

from protocol.bodies import body_of
from protocol.codec import pack, unpack
from protocol.envelope import SignedMessage
from protocol.verification.comparison import require_other
from protocol.verification.contents import contents_of
from protocol.verification.heads import TELLING, require_heads
from protocol.verification.links import FIRST, link
from protocol.verification.report import VerificationFailed
from protocol.verification.transcript import Entry
from tests.support.roles.transcripts import PARTIES, entries_of, header_of, party_of, sealed


def signed_in(entry: Entry) -> SignedMessage | None:
    """The message of an entry that tells a head."""
    if entry.kind not in ("sent", "received"):
        return None
    signed = unpack(SignedMessage, entry.content)
    return signed if signed.envelope.type in TELLING else None


def with_heads(market, name: str, entries: list[Entry] | None = None) -> list[Entry]:
    """What a party has kept (all, or these), where each message tells the link of what is before it."""
    party = party_of(market, name)
    found, head = [], FIRST
    for entry in entries_of(market, party) if entries is None else entries:
        signed, kept = signed_in(entry), entry
        if signed is not None and entry.kind == "sent":
            body = body_of(signed).model_copy(update={"head": head})
            again = SignedMessage.create(signed.envelope, pack(body), party.signing_key)
            kept = Entry.message(again, party.address, party.signing_key)
        found.append(kept)
        head = link(head, pack(kept))
    return found


def holding(market, name: str, told: list[Entry]) -> list[Entry]:
    """What another party kept, with those messages as the first one sent them."""
    party = party_of(market, name)
    sent = {one.envelope.message_id: one for entry in told if (one := signed_in(entry))}
    found = []
    for entry in entries_of(market, party):
        signed = signed_in(entry)
        again = None if signed is None else sent.get(signed.envelope.message_id)
        found.append(entry if again is None else Entry.message(again, party.address, party.signing_key))
    return found


def require_of(market, name: str, entries: list[Entry]):
    return require_heads(header_of(party_of(market, name)), entries)


def compare(market, own: str, entries: list[Entry], name: str, others: list[Entry]):
    """Hold one's transcript against another's, as `deltaml verify --against`."""
    party = party_of(market, own)
    contents = contents_of(header_of(party), entries, party.signing_key)
    return require_other(contents, sealed(party_of(market, name), others))


@pytest.mark.parametrize("name", PARTIES)
def test_every_party_tells_a_head_in_each_round(market, name):
    party = party_of(market, name)
    told = [one for one in market.wire if one.envelope.sender == party.address]
    heads = {one.envelope.round: body_of(one).head for one in told if one.envelope.type in TELLING}
    assert heads == {1: FIRST, 2: FIRST}


@pytest.mark.parametrize("name", PARTIES)
def test_most_of_what_an_honest_party_kept_stands_under_a_head(market, name):
    entries = with_heads(market, name)
    assert require_of(market, name, entries).count > len(entries) // 2


@pytest.mark.parametrize("name", PARTIES)
def test_a_store_that_is_written_anew_has_other_links_than_its_own_messages_tell(market, name):
    """Without the first entry, whoever that was from, and sealed only now: else nothing would show."""
    rewritten = with_heads(market, name)[1:]
    with pytest.raises(VerificationFailed) as failed:
        require_of(market, name, rewritten)
    assert failed.value.failure.code == "other_past"
    assert require_of(market, name, entries_of(market, party_of(market, name))[1:]).count == 0


@pytest.mark.parametrize(
    ("name", "other"), [("member", "aggregator"), ("buyer", "member"), ("aggregator", "buyer")]
)
def test_telling_other_heads_afterwards_contradicts_what_others_hold(market, name, other):
    """It signs its messages anew, so that its own transcript is in order."""
    told = with_heads(market, name)
    held = holding(market, other, told)
    assert compare(market, other, held, name, told)
    anew = with_heads(market, name, entries_of(market, party_of(market, name))[1:])
    assert require_of(market, name, anew).count > 0
    with pytest.raises(VerificationFailed) as failed:
        compare(market, other, held, name, anew)
    assert failed.value.failure.code == "denied"


def test_a_trainer_is_held_to_the_update_that_members_were_shown(market):
    """A member never wrote to it: the aggregator showed the member what the trainer has signed."""
    honest = entries_of(market, market.owners[0])
    member = entries_of(market, party_of(market, "member"))
    assert compare(market, "member", member, "trainer", honest)
    with pytest.raises(VerificationFailed) as failed:
        compare(market, "member", member, "trainer", with_heads(market, "trainer", honest[1:]))
    assert failed.value.failure.message.startswith("proven_update from ")


def test_a_head_told_before_it_was_kept_is_none(market):
    """A message cannot stand under itself, or under what came after it."""
    entries = with_heads(market, "member")
    place = next(number for number, one in enumerate(entries) if one.kind == "sent" and signed_in(one))
    with pytest.raises(VerificationFailed):
        require_of(market, "member", [entries[place], *entries[:place], *entries[place + 1 :]])
