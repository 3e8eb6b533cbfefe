"""What a request declares of its model, out of a sample: α of counts whose variance is μ + αμ², the event."""

from decimal import Context, Decimal
from typing import Any

from protocol.errors import MisuseError
from protocol.learning.statistic import Matrix
from protocol.request_kinds import DISPERSED, WITH_EVENTS

_DIGITS = 2
_LEAST, _MOST = Decimal("0.001"), Decimal(1000)
"""What `request_sections.Dispersion` takes."""


def model_section(kind: str, target: Matrix | None, event: str | None = None) -> dict[str, Any]:
    """The request's `model` for this kind, the m values of its one target, and its column of events, if any.

    Raises MisuseError where the kind needs one and it is not named, and where another kind is given one.
    """
    if (kind in WITH_EVENTS) != (event is not None):
        needs = (
            "needs --event COLUMN, which is 1 where the time ended with the event"
            if event is None
            else "has no --event"
        )
        raise MisuseError(f"{kind} {needs}")
    return {
        "kind": kind,
        **({"dispersion": str(dispersion_of(target))} if kind in DISPERSED and target is not None else {}),
        **({} if event is None else {"event": event}),
    }


def start_section(kind: str, mean: str) -> dict[str, Any]:
    """The request's `start`: the target's mean, and zero where no target is predicted."""
    return {"start": "zero"} if kind in WITH_EVENTS else {"start": "mean", "value": mean}


def dispersion_of(counts: Matrix) -> Decimal:
    """α by the moments of m counts around their mean, (s² − μ)/μ², to two digits and within its bounds.

    Columns that explain the counts leave less: so it is the most that α can be, and the weights of a row with
    a large mean are rather too low than too high. That costs precision alone; the means stay right.
    """
    mean = float(counts.mean())
    found = (float(counts.var()) - mean) / mean**2 if mean > 0 else 0.0
    rounded = Context(prec=_DIGITS).create_decimal(repr(found))
    return min(max(rounded, _LEAST), _MOST)
