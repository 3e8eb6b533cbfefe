"""Which requests' rounds can be checked: whoever orders, takes on or joins a training asks for itself.

Proofs bound what an owner commits to by ranges of [−1, 1], and a start is in declared units. A start of large
weights that grow by powers of some number would have the first error spell out the table of all products.
"""

from contextlib import suppress

from protocol.crypto.fixed_point import encode
from protocol.errors import MisuseError, ProtocolViolation, WidthError
from protocol.learning.judgement.plausibility import require_start
from protocol.learning.moments.widths import MomentWidths
from protocol.learning.projection.question import projection_widths
from protocol.learning.scales import MODEL_SCALE
from protocol.marketplace import fold_sizes
from protocol.request import MOST_KEY_BITS, Request
from protocol.roles.engine.refusals import require
from protocol.roles.rounds.widths import next_model_widths


def require_checkable(request: Request) -> None:
    """Check a request before anything is sent or paid for it.

    Raises ProtocolViolation: "columns_not_scaled", "start_too_large", or "widths_do_not_fit" where the key is
    too short even for owners with as few rows as are asked for.
    """
    require(request.scale == "range", "columns_not_scaled", "rounds are checked between scaled columns alone")
    start = encode([float(weight) for weight in request.start_weights()], MODEL_SCALE)
    require_start(start, len(request.outputs))
    try:
        _least_widths(request)
    except WidthError as error:
        raise ProtocolViolation("widths_do_not_fit", str(error)) from None


_REMEDIES = {
    "columns_not_scaled": "set scale: range",
    "start_too_large": "or widen the target's range",
}
"""What helps against the codes of `require_checkable` that no longer key helps against."""


def check_checkable(request: Request) -> None:
    """As `require_checkable`, for people: raises MisuseError with what is wrong, its bound and the remedy."""
    try:
        require_checkable(request)
    except ProtocolViolation as violation:
        remedy = _remedy(request, violation.code)
        raise MisuseError(f"these rounds cannot be checked: {violation.detail}; {remedy}") from None


def _remedy(request: Request, code: str) -> str:
    if code != "widths_do_not_fit":
        return _REMEDIES[code]
    for bits in range(request.key_bits + 64, MOST_KEY_BITS + 1, 64):
        with suppress(WidthError):
            _least_widths(request.model_copy(update={"key_bits": bits}))
            return f"take a key of {bits} bits or more (key_bits)"
    return f"no key of up to {MOST_KEY_BITS} bits is long enough: ask for fewer features or rounds"


def _least_widths(request: Request) -> None:
    """With the most owners, of the fewest rows: more rows are looked at when they are known."""
    owners = request.owners.maximum
    fewest, most = fold_sizes(owners, request.schedule.folds)
    moments = MomentWidths.fit(
        key_bits=request.key_bits,
        parameters=request.parameters,
        trainers=owners - fewest,
        weights=most * max(1, request.bounds.min_rows),
        weight_bits=request.weight_bits,
        residual_bits=request.residual_bits,
        targets=len(request.outputs),
    )
    projection_widths(moments, request.key_bits)
    next_model_widths(request, owners - fewest)
