"""The slot widths of a training, and whether a request's numbers can overflow."""

from protocol.errors import WidthError
from protocol.marketplace import fold_sizes
from protocol.records import FIXED_POINT
from protocol.request import Request

LARGEST_ROW_COUNT = 1 << 40
CONTRACT_METRIC_BITS = 128


def check_widths(request: Request) -> None:
    """Refuse, before anything is sent, a request whose numbers could overflow with the most owners it admits.

    |c| < T·2^(2·residual bits)·1e18 must stay below the contract's bound, or no round can be recorded.
    Raises WidthError with the numbers.
    """
    owners = request.owners.maximum
    trainers = owners - fold_sizes(owners, request.schedule.folds)[0]
    spare = CONTRACT_METRIC_BITS - FIXED_POINT.bit_length() - trainers.bit_length()
    if 2 * request.residual_bits <= spare:
        return
    if request.bounds.residual_bits is None:
        found = f"this start and schedule may need errors of {request.residual_bits} bits"
        remedy = "ask for fewer rounds or local steps, or smaller weights to start from"
    else:
        found, remedy = f"bounds.residual_bits is {request.residual_bits}", "lower it, or owners.maximum"
    raise WidthError(
        f"{found}; with {trainers} trainers the contract takes errors of {spare // 2} bits: {remedy}"
    )
