"""How the mean of a target follows from a linear predictor: the public side of generalized linear models.

All parties work these numbers out of the request, in decimals, so that they have the same bits. Between
scaled columns a predictor is divided by its `reach` L: weighted working responses √W·z of a row are then
within [−1, 1], which is what the bounds of weights and residuals are made of (`scaling.largest_weight`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

from protocol.preparation.columns import TargetColumn

LEAST_SHARE = Decimal("0.000001")
"""p̂ is taken within [10⁻⁶, 1 − 10⁻⁶]: of rows on the right side for certain no more is learned.

Log-odds then end at 13.8. Where they ended at those of .01, sure rows drew the model back, and its
probabilities with it.
"""

LEAST_COUNT = Decimal("0.01")
"""A mean of counts is taken at this at least: W stays above it."""

LARGEST_DEVIATION = 16
"""Pearson residuals (y − μ)/√V(μ) are clipped here: one row must not outweigh all others."""

LARGEST_SCALE = 64
"""The most by which a validator's quadratic is stretched to be exact at the public start."""


class Link(Protocol):
    """Of one family of targets; predictors are natural logarithms of odds or of means."""

    def means(self, target: TargetColumn) -> tuple[Decimal, Decimal]:
        """The least and the largest mean that a predictor is taken for, in the target's units."""
        ...

    def predictor(self, mean: Decimal) -> Decimal:
        """The linear predictor of a mean; raises decimal.InvalidOperation for none that it could have."""
        ...

    def largest_weight(self, target: TargetColumn) -> Decimal:
        """The largest W of a row."""
        ...

    def unsuitable(self, target: TargetColumn) -> str | None:
        """What a target must be and is not, with the remedy; None when it suits."""
        ...

    def largest_deviation(self, target: TargetColumn) -> Decimal:  # noqa: ARG002
        """Where the Pearson residual of a row is clipped."""
        return Decimal(LARGEST_DEVIATION)

    def dispersed(self, dispersion: Decimal | None) -> "Link":  # noqa: ARG002
        """The link of a request with this dispersion α, which one family alone has."""
        return self

    def reach(self, target: TargetColumn) -> Decimal:
        """L: a whole number that no |√W·z| of a row is above."""
        farthest = max(abs(self.predictor(mean)) for mean in self.means(target))
        bound = self.largest_weight(target).sqrt() * farthest + self.largest_deviation(target)
        return Decimal(int(bound) + 1)


class LogitLink(Link):
    """Targets of 0 and 1: the predictor is the log-odds of 1."""

    def means(self, target: TargetColumn) -> tuple[Decimal, Decimal]:  # noqa: ARG002
        """A millionth, and all but a millionth."""
        return LEAST_SHARE, 1 - LEAST_SHARE

    def predictor(self, mean: Decimal) -> Decimal:
        """ln(p/(1 − p))."""
        return (mean / (1 - mean)).ln()

    def largest_weight(self, target: TargetColumn) -> Decimal:  # noqa: ARG002
        """That of the bound, tanh(t/2)/(2t), is largest at zero (`families.bound_weight`)."""
        return Decimal("0.25")

    def largest_deviation(self, target: TargetColumn) -> Decimal:  # noqa: ARG002
        """|y − p|/√W is at most √(2·13.8) = 5.3, so no row is clipped."""
        return Decimal(6)

    def unsuitable(self, target: TargetColumn) -> str | None:
        """A column of 0 and 1 is needed."""
        return None if target.kind == "boolean" else "a column of 0 and 1: declare it with kind: boolean"


class CountLink(Link):
    """Counts, of zero or more: the predictor is the logarithm of the mean, which is the variance too."""

    def means(self, target: TargetColumn) -> tuple[Decimal, Decimal]:
        """From .01, or the declared minimum, to the declared maximum."""
        low, high = target.limits
        return max(low, LEAST_COUNT), high

    def predictor(self, mean: Decimal) -> Decimal:
        """The logarithm, ln μ."""
        return mean.ln()

    def largest_weight(self, target: TargetColumn) -> Decimal:
        """W = μ, the declared maximum at most."""
        return target.limits[1]

    def largest_deviation(self, target: TargetColumn) -> Decimal:
        """√maximum more than usual: counts vary more than Poisson's, and large ones more so."""
        return LARGEST_DEVIATION + target.limits[1].sqrt()

    def unsuitable(self, target: TargetColumn) -> str | None:
        """Zero or more is needed, and a maximum to bound the weights with."""
        low, high = target.limits
        is_count = target.kind == "numeric" and low >= 0 and 1 <= high <= 10**6
        return (
            None if is_count else "counts: declare it with minimum: 0 or more and a maximum from 1 to 1000000"
        )


@dataclass(frozen=True, slots=True)
class DispersedCountLink(CountLink):
    """Counts whose variance is μ + αμ², the negative binomial's; α is the request's dispersion."""

    dispersion: Decimal = Decimal(1)

    def dispersed(self, dispersion: Decimal | None) -> Link:
        """Of this α; without one, as in a request that is refused for it, it stays what it is."""
        return self if dispersion is None else DispersedCountLink(dispersion)

    def largest_weight(self, target: TargetColumn) -> Decimal:
        """W = μ/(1 + αμ) grows with μ, and stays below 1/α."""
        most = target.limits[1]
        return most / (1 + self.dispersion * most)

    def largest_deviation(self, target: TargetColumn) -> Decimal:  # noqa: ARG002
        """No more than usual: what counts vary more than Poisson's is declared."""
        return Decimal(LARGEST_DEVIATION)


class AmountLink(Link):
    """Amounts above zero whose spread grows with their mean: the predictor is the logarithm of the mean."""

    def means(self, target: TargetColumn) -> tuple[Decimal, Decimal]:
        """The declared range."""
        return target.limits

    def predictor(self, mean: Decimal) -> Decimal:
        """The logarithm, ln μ."""
        return mean.ln()

    def largest_weight(self, target: TargetColumn) -> Decimal:  # noqa: ARG002
        """W = 1: the log link of a variance μ²."""
        return Decimal(1)

    def unsuitable(self, target: TargetColumn) -> str | None:
        """A range above zero is needed."""
        is_amount = target.kind == "numeric" and target.limits[0] > 0
        return None if is_amount else "amounts above zero: declare it with a minimum above 0"


MOST_HAZARD_ROWS = 100_000
"""Of an owner's fit of proportional hazards, which sorts them in memory."""

LARGEST_LOG_HAZARD = 8
"""Of a row, in absolute value: so hazards differ by a factor of e^16 at most, and predictors have a bound."""

HAZARD_REACH = 9
"""L of hazards: above `LARGEST_LOG_HAZARD`, and L² above any mean deviance.

That is the start's at most, 2·ln m where all m rows are at risk: 23.1 for `MOST_HAZARD_ROWS`.
"""


class HazardLink(Link):
    """Times until an event: the predictor is the logarithm of a row's hazard beside a row's in the middle.

    The square of the expansion is θᵀHθ, H being the mean covariance of the scaled columns among the rows at
    risk: its trace is p at most, as that of plain rows, and at an owner's optimum it is the mean variance of
    predictors, none of which is beyond `LARGEST_LOG_HAZARD`.
    """

    def means(self, target: TargetColumn) -> tuple[Decimal, Decimal]:
        """The declared range: no mean of times is ever predicted."""
        return target.limits

    def predictor(self, mean: Decimal) -> Decimal:  # noqa: ARG002
        """Zero, whatever the times: a training of hazards starts from none that differ."""
        return Decimal(0)

    def largest_weight(self, target: TargetColumn) -> Decimal:  # noqa: ARG002
        """1: a row has no more than one event."""
        return Decimal(1)

    def reach(self, target: TargetColumn) -> Decimal:  # noqa: ARG002
        """L, whatever the times are: hazards depend on their order alone."""
        return Decimal(HAZARD_REACH)

    def unsuitable(self, target: TargetColumn) -> str | None:
        """Zero or more is needed."""
        is_time = target.kind == "numeric" and target.limits[0] >= 0
        return None if is_time else "the order of times: declare it with minimum: 0 or more"


LINKS: Mapping[str, Link] = {
    "logistic_regression": LogitLink(),
    "poisson_regression": CountLink(),
    "gamma_regression": AmountLink(),
    "negative_binomial_regression": DispersedCountLink(),
}
"""By the name of the kind of model, of those that predict a mean of the target by its link."""

FITTED: Mapping[str, Link] = {**LINKS, "cox_regression": HazardLink()}
"""Kinds for which each owner fits its own rows first; those that are not here predict the target itself."""


def link_of(kind: str, dispersion: Decimal | None) -> Link | None:
    """The link of a request's model; None where it predicts the target itself."""
    link = FITTED.get(kind)
    return None if link is None else link.dispersed(dispersion)
