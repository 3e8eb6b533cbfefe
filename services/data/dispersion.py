"""What a request for counts with a variance μ + αμ² declares of α, out of a sample's counts."""

from decimal import Context, Decimal
from typing import Any

from protocol.learning.statistic import Matrix
from protocol.request_kinds import DISPERSED

_DIGITS = 2
_LEAST, _MOST = Decimal("0.001"), Decimal(1000)
"""What `request_sections.Dispersion` takes."""


def model_section(kind: str, target: Matrix) -> dict[str, Any]:
    """The request's `model` for this kind and these m values of the target."""
    return {"kind": kind, **({"dispersion": str(dispersion_of(target))} if kind in DISPERSED else {})}


def dispersion_of(counts: Matrix) -> Decimal:
    """α by the moments of m counts around their mean, (s² − μ)/μ², to two digits and within its bounds.

    Columns that explain the counts leave less: so it is the most that α can be, and the weights of a row with
    a large mean are rather too low than too high. That costs precision alone; the means stay right.
    """
    mean = float(counts.mean())
    found = (float(counts.var()) - mean) / mean**2 if mean > 0 else 0.0
    rounded = Context(prec=_DIGITS).create_decimal(repr(found))
    return min(max(rounded, _LEAST), _MOST)
