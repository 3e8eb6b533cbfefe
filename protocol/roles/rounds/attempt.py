"""What the parties of an attempt call it by: its place in the training, its digests, and what they sign.

Everything here is of contents, never of envelopes: the same bytes go to several recipients, each under a
signature of its own. An update alone is named by its signed message, which everybody is shown.
"""

from collections.abc import Sequence

from protocol.codec import pack
from protocol.crypto.cipher import Ciphertext, PublicKey
from protocol.crypto.commitments import TrainingIdentity
from protocol.crypto.proofs.transcript import Occasion
from protocol.crypto.ring.context import Purpose, RingContext
from protocol.crypto.ring.product import product_digest
from protocol.envelope import SignedMessage
from protocol.messages.rounds import MomentAnswer, MomentRequest, RoundEvidence
from protocol.messages.rounds.values import AttemptDigests, AttemptFacts
from protocol.roles.engine.context import Context
from protocol.types import RoundAttempt, digest_of
from protocol.vectors import EncryptedVector

_CONSENT = b"deltaml metric consent"


def identity_of(context: Context, training: int, key: PublicKey) -> TrainingIdentity:
    """What commitments, proofs and rings of a training are bound to."""
    market = context.market
    return TrainingIdentity(market.chain_id, market.contract, training, key.key_id, context.commitment_group)


def update_occasion(round_number: int) -> Occasion:
    """Of the proofs of a round's updates, which serve every attempt at it."""
    return Occasion(round_number, 0)


def occasion_of(at: RoundAttempt) -> Occasion:
    """Of everything that belongs to one attempt, which counts from 1 as in envelopes."""
    return Occasion(at.round, 0, at.attempt)


def ring_context(
    identity: TrainingIdentity, at: RoundAttempt, purpose: Purpose, aggregator: str, checking: tuple[str, str]
) -> RingContext:
    """The ring of an attempt's three makers; `checking` as `members.attempt_checkers` gives them."""
    return RingContext(identity, occasion_of(at), purpose, (aggregator, *checking))


def numbers_digest(numbers: Sequence[bytes]) -> bytes:
    """Of a request or an answer as it travels: what the other one's `request_digest` holds."""
    return digest_of(*numbers)


def evidence_digest(evidence: RoundEvidence) -> bytes:
    """Of all that a round's checks start from: members that were shown different things cannot agree in it.

    Masks stand in it by a digest of their own, so that what is kept of the evidence without them is still
    what members signed and the chain has recorded.
    """
    return shown_digest(evidence.without_masks(), masks_digest(evidence))


def masks_digest(evidence: RoundEvidence) -> bytes:
    """Of masks and their roots: a guess of the masks cannot be held against it, for nobody guesses a root."""
    masks, roots = numbers_digest(evidence.masks), numbers_digest(evidence.mask_roots)
    return digest_of(b"deltaml masks", masks, roots)


def shown_digest(shown: RoundEvidence, masks: bytes) -> bytes:
    """The evidence's digest, of the evidence without masks and `masks_digest`."""
    return digest_of(b"deltaml evidence", pack(shown), masks)


def attempt_digests(
    start: EncryptedVector,
    updates: Sequence[SignedMessage],
    request: MomentRequest,
    answer: MomentAnswer,
    model: EncryptedVector,
    product: bytes,
) -> AttemptDigests:
    """What two verdicts must agree in; `product` is `product_digest` of the next model's ring."""
    return AttemptDigests(
        start=start.digest(),
        updates=tuple(one.digest() for one in updates),
        request=numbers_digest(request.masked),
        answer=numbers_digest(answer.numbers),
        model=model.digest(),
        product=product,
    )


def consent_digest(
    key: PublicKey, context: RingContext, product: Sequence[Ciphertext], facts: AttemptFacts
) -> bytes:
    """What every member signs, and the buyer opens nothing without: the noisy product and what it is of.

    `context` is that of the metric's ring: a signature for one attempt says nothing at another.
    """
    return digest_of(_CONSENT, product_digest(key, context, product), pack(facts))


def transcript_digest(before: bytes, facts: AttemptFacts) -> bytes:
    """The record's: of the chain of rounds so far, the evidence, and every member's signed metric."""
    return digest_of(before, facts.evidence, *facts.metrics)
