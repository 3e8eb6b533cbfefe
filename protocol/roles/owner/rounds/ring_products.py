"""The product that the buyer opens for a ring: a checker signs it, and later takes two masks off."""

from typing import TypeVar

from protocol.crypto.cipher import Ciphertext, read_ciphertexts, write_ciphertexts
from protocol.crypto.ring.context import Purpose
from protocol.crypto.ring.shares import Share
from protocol.messages.rounds import RingConsent
from protocol.roles.engine.context import Context, message
from protocol.roles.engine.effects import Effect
from protocol.roles.engine.refusals import require
from protocol.roles.engine.state import replace, store, with_new_blobs
from protocol.roles.owner.attempts import Attempt, OpeningModel
from protocol.roles.owner.rounds.ring_views import ring_view, said_errors
from protocol.roles.owner.rounds.view import RoundView
from protocol.roles.rounds.products import NextModelCheck, RangeCheck
from protocol.roles.rounds.ring import chance, digest_to_sign, known_shares, product
from protocol.roles.rounds.ring_state import SharedNumbers
from protocol.signatures import sign_digest

R = TypeVar("R", bound=OpeningModel)

_LABELS = {
    Purpose.NEXT_MODEL: "",
    Purpose.RANGES: Purpose.RANGES.value,
    Purpose.ERRORS: Purpose.ERRORS.value,
}
"""By which the consents of an attempt's rings, to one recipient, are told apart."""


def sign_product(
    opening: R,
    purpose: Purpose,
    view: RoundView,
    attempt: Attempt,
    effects: tuple[Effect, ...],
    context: Context,
) -> tuple[R, tuple[Effect, ...]]:
    """With all shares there, sign the product that the buyer is to open, once.

    `effects` are those of the message that completed the ring, which is in `opening` already; they come back
    with what is stored and sent.
    """
    if opening.product is not None:
        return opening, effects
    ring, ring_of = opening.ring, ring_view(view, attempt, purpose)
    stored = with_new_blobs(context, effects)
    if purpose is Purpose.ERRORS:
        opened = unopened(view, attempt, context)
    else:
        opened = _check(view, purpose).sums(chance(ring, ring_of))
    made = product(ring, ring_of, opened, stored)
    digest = digest_to_sign(ring, ring_of, made, stored)
    kept, blob = store(SharedNumbers(numbers=tuple(write_ciphertexts(view.key, made.ciphertexts))))
    consent = RingConsent(purpose=purpose.value, signature=sign_digest(context.signing_key, digest))
    aggregator = view.state.request.aggregator
    sent = message(context, aggregator, consent, attempt.at, label=_LABELS[purpose])
    return replace(opening, product=kept, digest=digest), (*effects, blob, sent)


def product_and_masks(
    opening: OpeningModel, purpose: Purpose, view: RoundView, attempt: Attempt, context: Context
) -> tuple[list[Ciphertext], tuple[Share, Share]]:
    """The ciphertexts that were signed, and the two masks in them that we know."""
    assert opening.product is not None
    numbers = opening.product.load(SharedNumbers, context).numbers
    known = known_shares(opening.ring, ring_view(view, attempt, purpose), context)
    return read_ciphertexts(view.key, numbers, len(numbers)), known


def unopened(view: RoundView, attempt: Attempt, context: Context) -> list[Ciphertext]:
    """Π X_v^(w_v) with its offset and without noise, or each one's part of it, as this checker has formed it.

    Raises ProtocolViolation("not_in_order") for parts that were not kept: an earlier version kept none.
    """
    measuring, said = attempt.measuring, said_errors(view, attempt)
    assert measuring is not None  # `ranges` has asked for it
    kept = measuring.product if said.negative is None else measuring.parts
    require(kept is not None, "not_in_order", "the members' metrics were not kept")
    assert kept is not None
    numbers = kept.load(SharedNumbers, context).numbers
    ciphertexts, count = read_ciphertexts(view.key, numbers, len(numbers)), len(view.exchange.sets)
    if said.negative is None:
        return ciphertexts
    return said.opened([ciphertexts[one : one + count] for one in range(0, len(ciphertexts), count)])


def _check(view: RoundView, purpose: Purpose) -> NextModelCheck | RangeCheck:
    return view.ranges if purpose is Purpose.RANGES else view.next_model
