"""The heads of its chain that a party told others while it worked, against the chain it shows afterwards.

Every round each party signs, in a message that others keep, under which link all that it had kept until then
stands. A store that is written anew, be it before it is ever sealed, has other links: either its own messages
still tell the old ones, which lead nowhere in it, or they were signed anew, and others hold them as they were
(`protocol.verification.comparison`). What a party kept after the last head that it told is held by nothing.
"""

from collections.abc import Iterator, Sequence

from protocol.bodies import body_of
from protocol.codec import pack, unpack
from protocol.envelope import SignedMessage
from protocol.messages import Message
from protocol.roles.engine.refusals import require
from protocol.verification.links import FIRST, links
from protocol.verification.report import Check, naming
from protocol.verification.transcript import Entry, Header

TELLING = frozenset(("proven_update", "opening", "round_signature", "round_completed"))
"""A trainer's, the buyer's, a member's and the aggregator's messages that tell the head, each round."""


def require_heads(header: Header, entries: Sequence[Entry]) -> Check:
    """Check each head that the party told; how many entries stand under the last of them.

    `entries` are oldest first. A message that is sent again tells what it told at first, so a head may be
    older than the step that it is of. Raises VerificationFailed: "other_past" for a head that no entries
    before the message lead to, as where a store was brought back from a backup of another time.
    """
    places, covered = {FIRST: 0}, 0
    for number, (entry, link) in enumerate(zip(entries, links(map(pack, entries)), strict=True), 1):
        for signed, head in _told(entry):
            at = signed.envelope
            with naming(f"{at.type} from {header.party}", at.round):
                known = head in places
                require(known, "other_past", "it told others that it had kept something else until then")
            covered = max(covered, places[head])
        places[link] = number
    return Check(name="entries under a head that was told", count=covered)


def _told(entry: Entry) -> Iterator[tuple[SignedMessage, bytes]]:
    """A message that the party sent, with the head that it tells, if the entry is one."""
    if entry.kind != "sent":
        return
    signed = unpack(SignedMessage, entry.content)
    if signed.envelope.type in TELLING:
        body: Message = body_of(signed)
        head = getattr(body, "head", None)
        if head is not None:
            yield signed, head
