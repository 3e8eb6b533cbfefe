"""The ring over a next model, as the aggregator asked the buyer to open it."""

from protocol.crypto.cipher import read_ciphertexts
from protocol.crypto.ring.context import Maker, Purpose
from protocol.crypto.ring.product import product_digest
from protocol.messages.rounds import RingOpeningRequest
from protocol.roles.engine.refusals import require
from protocol.roles.rounds.attempt import ring_context
from protocol.signatures import recover_address
from protocol.types import RoundAttempt
from protocol.verification.contents import Contents
from protocol.verification.training import VerifiedTraining


def require_ring(
    contents: Contents,
    training: VerifiedTraining,
    at: RoundAttempt,
    checkers: tuple[str, str],
    expected: bytes,
) -> int:
    """Check that all three makers signed the sums of the next model that the verdicts name; how many signed.

    Raises ProtocolViolation: "other_product", "not_agreed".
    """
    body = contents.only(RingOpeningRequest, at, training.request.aggregator)
    product = read_ciphertexts(training.key, body.product, len(body.product))
    ring = ring_context(training.identity, at, Purpose.NEXT_MODEL, training.request.aggregator, checkers)
    digest = product_digest(training.key, ring, product)
    require(digest == expected, "other_product", "not the one that the verdicts name")
    for maker, signature in zip(Maker, body.signatures, strict=True):
        signer = recover_address(digest, signature)
        require(signer == ring.parties[maker], "not_agreed", f"the {maker.label} has not signed the sums")
    return len(body.signatures)
