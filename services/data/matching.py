"""Why an owner's data set does not serve a request, in words for its owner alone."""

from protocol.data_set import DataSet, text_columns, text_fault
from protocol.reason import Reason
from protocol.request import Request
from protocol.requirements import mismatches, no_column, pay_mismatch


def why_not(request: Request, data_set: DataSet) -> tuple[Reason, ...]:
    """The reasons by which the card decides; empty where it serves.

    Of a column that is in the rows and that no card can have, what its owner can do about it.
    """
    reasons = mismatches(request, data_set.card) or pay_mismatch(request, data_set.card)
    of_texts = {no_column(name): text_fault((name,)) for name in text_columns(data_set.statistic)}
    return tuple(of_texts.get(reason, reason) for reason in reasons)
