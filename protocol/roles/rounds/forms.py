"""What the shares of an attempt's two rings must be, and what each ring is about: alike for its makers."""

from collections.abc import Sequence

from protocol.crypto.cipher import Ciphertext, PublicKey
from protocol.crypto.ring.commitments import statement_digest
from protocol.crypto.ring.context import Purpose
from protocol.crypto.ring.shares import ShareForm
from protocol.learning.checked_openings.noise import noise_form
from protocol.request import Request
from protocol.roles.rounds.products import MomentExchange
from protocol.roles.rounds.widths import CheckedWidths


def share_form(
    purpose: Purpose,
    request: Request,
    widths: CheckedWidths,
    exchange: MomentExchange,
    weights: int,
) -> ShareForm:
    """Masks for the sums of one next model, or of the exchange's trainers; or noise on every slot.

    `weights` is what the attempt's members weigh.
    """
    if purpose is Purpose.METRIC:
        return noise_form(widths.moments, exchange.sets, weights, request.target_range)
    if purpose is Purpose.RANGES:
        return widths.ranges.share_form(exchange.trainers)
    return widths.next_model.sums.share_form(1)


def metric_statement(key: PublicKey, product: Sequence[Ciphertext]) -> bytes:
    """What the ring of noise is about: Π X_v^(w_v) with its offset (`products.weighted_product`)."""
    return statement_digest(key, product)
