"""When a request may ask for standard errors, and what it then discloses: the information matrix of a pool.

The matrix Σ_t X_tᵀW_tX_t of the trainers of the last round is opened to the buyer, and nothing of any single
one. In a small pool every owner's part is much of the sum, and whoever knows the parts of all others has the
last one's: so five trainers are the fewest.
"""

from decimal import Decimal

from protocol.links import FITTED
from protocol.marketplace import validator_count
from protocol.request_sections import ModelKind, Owners

FEWEST_TRAINERS = 5
"""Whose information is added up."""

MOST_PARAMETERS = 512
"""p: a share of a matrix then takes 3 MiB."""

ENTRY_BYTES = 24
"""Of an entry's share, a number modulo 2^192, big end first."""

MOST_POOLED_BYTES = 2**26
"""Of all trainers' shares for one checker: so many can wait at one that has not seen the settlement yet
(`roles.engine.early`), and whose share found no room would be told as silent."""

LARGEST_RIDGE = Decimal("0.00001")
"""λ: the default. A larger one draws the weights to zero, and intervals around them miss the true ones."""

KINDS = ("linear_regression", *FITTED)
"""Those whose weights are estimates with known variances; those of a discriminant are none."""

FEWEST_OWNERS = next(count for count in range(256) if count - validator_count(count) >= FEWEST_TRAINERS)
"""Of which the contract draws as many trainers as are needed."""


def opened_entries(parameters: int) -> int:
    """p(p+1)/2: how many numbers of the pooled matrix the buyer gets."""
    return parameters * (parameters + 1) // 2


def inference_refused(model: ModelKind, scale: str, owners: Owners, parameters: int) -> str | None:
    """Why a request cannot ask for standard errors, with the remedy; None where it can."""
    if model.kind not in KINDS:
        return f"inference: {model.kind} has no standard errors: ask for one of {', '.join(KINDS)}"
    if owners.minimum < FEWEST_OWNERS:
        return (
            f"inference: of owners.minimum {owners.minimum} fewer than {FEWEST_TRAINERS} train, and a sum "
            f"over so few tells of each: set owners.minimum to {FEWEST_OWNERS} or more"
        )
    if scale != "range":
        return "inference needs scale: range, which bounds what is added up"
    if model.ridges[0] > LARGEST_RIDGE:
        return (
            f"inference: model.l2 is {model.ridges[0]:f}; above {LARGEST_RIDGE:f} weights are drawn to zero, "
            "and intervals around them say nothing about the true ones"
        )
    return _too_many(owners.maximum - validator_count(owners.maximum), parameters)


def _too_many(trainers: int, parameters: int) -> str | None:
    if parameters > MOST_PARAMETERS:
        return f"inference: there are {parameters} weights; at most {MOST_PARAMETERS} have standard errors"
    pooled = trainers * ENTRY_BYTES * opened_entries(parameters)
    if pooled > MOST_POOLED_BYTES:
        return (
            f"inference: {trainers} trainers' shares of {parameters} weights are {pooled:,} bytes; a checker "
            f"has room for {MOST_POOLED_BYTES:,}: lower owners.maximum, or ask for fewer weights"
        )
    return None
