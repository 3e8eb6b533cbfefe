"""Every kind of model through the encrypted protocol, against the same schedule in plaintext."""

from typing import NamedTuple

import numpy as np

from tests.support.roles.kind_markets import MARKETS, all_weights, in_plaintext, recorded

LARGEST = 1e-6
"""Distance of a weight, relative to it; of an error, in squared declared units."""
_ROUNDING = 1e-9
"""Of the largest weight: what is smaller, as the intercept of hazards, is zero but for rounding."""


class Distance(NamedTuple):
    """The furthest weight, relative to itself; the delivered model's error, in squared declared units."""

    weights: float
    error: float

    @property
    def holds(self) -> bool:
        """Whether both are within `LARGEST`."""
        return max(self) <= LARGEST


def distance(title: str) -> Distance:
    """Of one of `MARKETS`, played to its end; raises RuntimeError where it does not finish."""
    market = MARKETS[title]()
    market.finish()
    shown = {party.shown for party in market.parties.values()}
    if shown != {"FINISHED"}:
        raise RuntimeError(f"the training of {title} ended as {', '.join(sorted(shown))}; expected FINISHED")
    model, errors = in_plaintext(market)
    found, wanted = all_weights(market.bought()), all_weights(model)
    sizes = np.abs(wanted)
    counts = sizes > _ROUNDING * sizes.max()
    furthest = float((np.abs(found - wanted)[counts] / sizes[counts]).max())
    unit = float(market.request.error_unit)
    return Distance(furthest, abs(recorded(market).delivered - errors.delivered) / unit)


def markdown() -> str:
    """The section's text; raises RuntimeError where a training is further away than it may be."""
    lines = [
        "Whole encrypted trainings of four owners beside the same steps in doubles: the weight of the bought",
        "model that is furthest from its plain one, relative to it, and the published error of that model,",
        f"which noise is added to, in squared declared units. Neither may be above {LARGEST:.0e}.",
        "",
        "| trained | weights | error |",
        "| --- | ---: | ---: |",
    ]
    for title in MARKETS:
        found = distance(title)
        if not found.holds:
            raise RuntimeError(f"{title}: {found} is above {LARGEST:.0e}")
        lines.append(f"| {title} | {found.weights:.1e} | {found.error:.1e} |")
    return "\n".join(lines) + "\n"
