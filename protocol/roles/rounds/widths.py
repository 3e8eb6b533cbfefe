"""Every slot width of a checked training, from its request and the drawn parties."""

from collections.abc import Sequence
from dataclasses import dataclass

from protocol.learning.checked_openings.next_model import NextModelWidths
from protocol.learning.checked_openings.noise import noise_form
from protocol.learning.checked_openings.ranges import range_widths
from protocol.learning.checked_openings.sums import SumWidths
from protocol.learning.judgement.members import row_weights
from protocol.learning.moments.widths import MomentWidths
from protocol.learning.projection.question import projection_widths
from protocol.request import Request
from protocol.roles.engine.refusals import EarlyInput
from protocol.roles.shared.parties import Parties


@dataclass(frozen=True, slots=True)
class CheckedWidths:
    """Layouts of the exchange with the buyer, of a checker's questions, and of sums that are opened.

    Those are of next models, and of trainers' updates where it is asked whose range is not kept.
    """

    moments: MomentWidths
    projection: MomentWidths
    next_model: NextModelWidths
    ranges: SumWidths


def checked_widths(request: Request, parties: Parties) -> CheckedWidths:
    """One set of layouts for the training: of all drawn trainers, and the most that any members can weigh.

    Raises WidthError, with the numbers, where the request's bounds, the parties and the key do not go
    together, or its target's range is so wide that the noise would not fit.
    """
    known = parties.rows_by_owner()
    rows = [known.get(one, 0) for one in parties.addresses(parties.validators)]
    # A drawn owner that has shown no commitments takes no part, and has no rows.
    most = largest_weight([count for count in rows if count], parties.quorum)
    moments = MomentWidths.fit(
        key_bits=request.key_bits,
        parameters=request.parameters,
        trainers=parties.trainers.bit_count(),
        weights=most,
        weight_bits=request.weight_bits,
        residual_bits=request.residual_bits,
        targets=len(request.outputs),
    )
    noise_form(moments, (), most, request.target_range)
    return CheckedWidths(
        moments=moments,
        projection=projection_widths(moments, request.key_bits),
        next_model=next_model_widths(request, parties.trainers.bit_count()),
        ranges=range_widths(request.key_bits, request.parameters, request.weight_bits),
    )


def next_model_widths(request: Request, trainers: int) -> NextModelWidths:
    """Of the check of a next model, with so many trainers at most; raises WidthError."""
    rescaled = trainers if request.schedule.is_admm else 0
    return NextModelWidths.fit(request.key_bits, request.parameters, request.weight_bits, rescaled)


def started_widths(request: Request, parties: Parties) -> CheckedWidths:
    """The same; raises EarlyInput until the aggregator has told who committed to what."""
    if not parties.has_started():
        raise EarlyInput
    return checked_widths(request, parties)


def largest_weight(rows: Sequence[int], quorum: int) -> int:
    """The most that the weights of an attempt's members can add up to, of validators with these rows.

    Without a member with few rows the others' median is larger, and so is what they may weigh: a width made
    for all of them would overflow in an attempt without one that was silent. The members are a quorum at
    least, so of so many none weigh more than those with the most rows.
    """
    ordered = sorted(rows)
    fewest = min(max(2, quorum), len(rows))
    return max(sum(row_weights(ordered[len(rows) - count :])) for count in range(fewest, len(rows) + 1))
