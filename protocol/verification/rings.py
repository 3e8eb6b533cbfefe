"""The rings after the buyer's word against an attempt, out of a transcript: what was opened, and two masks.

The product that the buyer opened is in the aggregator's transcript alone, under the signatures of all three
makers. With the aggregator's key its own seed and the second checker's come out of their boxes; they count
only where everything that was committed to, shown and shared makes that very product again.
"""

from typing import TypeVar

from protocol.crypto.cipher import Ciphertext, read_ciphertexts
from protocol.crypto.ring.commitments import Commitments, RingCommitment
from protocol.crypto.ring.context import Maker, Purpose, RingContext
from protocol.crypto.ring.product import RingProduct, product_digest
from protocol.crypto.ring.shares import Share
from protocol.errors import ProtocolViolation
from protocol.messages.rounds import RingCommitted, RingNonce, RingOpeningRequest, RingShared
from protocol.roles.owner.rounds.ring_views import ring_view
from protocol.roles.rounds.attempt import ring_context
from protocol.roles.rounds.ring_state import RingView
from protocol.signatures import recover_address
from protocol.types import Address
from protocol.verification.contents import Contents
from protocol.verification.evidence import Shown

Body = TypeVar("Body", RingCommitted, RingNonce)


def opened_product(contents: Contents, shown: Shown, purpose: Purpose) -> list[Ciphertext] | None:
    """What the buyer was asked to open, if all three makers signed it; None where none is kept here."""
    ring = _context(shown, purpose)
    for asked in contents.said(RingOpeningRequest, shown.view.at, ring.parties[Maker.AGGREGATOR]):
        if asked.purpose != purpose.value:
            continue
        numbers = read_ciphertexts(shown.view.key, asked.product, len(asked.product))
        digest = product_digest(shown.view.key, ring, numbers)
        if tuple(recover_address(digest, one) for one in asked.signatures) == ring.parties:
            return numbers
    return None


def masks_of_ranges(
    contents: Contents, shown: Shown, product: list[Ciphertext]
) -> tuple[Share, Share] | None:
    """The two masks of opened ranges that the aggregator knows; None where they are in a box, or others.

    Whoever kept other seeds, commitments or nonces than it had makes another product of them.
    """
    if contents.header.role != "federated_aggregator":
        return None
    view = ring_view(shown.view, shown.attempt, Purpose.RANGES)
    try:
        commitments = _commitments(contents, shown, view)
        sums = shown.view.ranges.sums(commitments.chance(_nonces(contents, shown, view)))
        shares = {maker: _share(contents, shown, view, maker) for maker in Maker}
        read = {
            maker: tuple(read_ciphertexts(view.key, one.share, len(view.form.bounds)))
            for maker, one in shares.items()
        }
        if list(RingProduct.form(view.key, commitments, sums, read).ciphertexts) != product:
            return None
        own, last = (
            view.workshop.again(one, read[one], shares[one].seed)
            for one in (Maker.AGGREGATOR, Maker.SECOND_CHECKER)
        )
    except ProtocolViolation:
        return None
    return own, last


def _commitments(contents: Contents, shown: Shown, view: RingView) -> Commitments:
    signed = {}
    for maker in Maker:
        body = _said(contents, shown, RingCommitted, view.context.parties[maker])
        signed[maker] = RingCommitment(body.statement, body.share, body.nonce)
    return Commitments.collect(view.context, Maker.AGGREGATOR, signed)


def _nonces(contents: Contents, shown: Shown, view: RingView) -> dict[Maker, bytes]:
    checkers = [maker for maker in Maker if view.context.needs_nonce(maker)]
    return {one: _said(contents, shown, RingNonce, view.context.parties[one]).nonce for one in checkers}


def _share(contents: Contents, shown: Shown, view: RingView, maker: Maker) -> RingShared:
    """A maker's, with its seed where that was shown to the aggregator, or by it."""
    party = view.context.parties[maker]
    said = [
        one for one in contents.said(RingShared, shown.view.at, party) if one.purpose == Purpose.RANGES.value
    ]
    found = next((one for one in said if one.seed is not None), said[0] if said else None)
    if found is None:
        raise ProtocolViolation("missing_message", f"no share of {party}")
    return found


def _said(contents: Contents, shown: Shown, kind: type[Body], party: Address) -> Body:
    found = [one for one in contents.said(kind, shown.view.at, party) if one.purpose == Purpose.RANGES.value]
    if len(found) != 1:
        raise ProtocolViolation("missing_message", f"{len(found)} {kind.__name__} of {party}")
    return found[0]


def _context(shown: Shown, purpose: Purpose) -> RingContext:
    view, aggregator = shown.view, shown.view.state.request.aggregator
    return ring_context(view.identity, view.at, purpose, aggregator, shown.attempt.checkers)
