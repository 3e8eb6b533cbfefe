"""By how much an error is too large, and whether what makers of a ring see of it bears that out.

The key's holder names a trainer with the least multiple of 8, its *power*, for which q_t is at most 2^power
limits. The error is then opened to three makers under shares 2^(power − 8) times as wide as usual, of which
each maker knows two: it sees q_t and one share more. A power that is too large would hide the error, and one
that is too small would show more digits of it than a recorded one has; both are found out.
"""

from protocol.learning.judgement.plausibility import Limits

STEP = 8
"""Between two powers. The least is one step: what 2⁰ limits hold is plausible."""

MAXIMUM_POWER = 48
"""2^48 limits are more than any error of honest members, unless models err by 10⁻⁷ of the target's range."""


def power_of(value: int, limits: Limits) -> int | None:
    """The least that fits an opened q_t above its limit; None where none does, or q_t is not above it."""
    if value <= limits.most_own:
        return None
    return next(
        (one for one in range(STEP, MAXIMUM_POWER + 1, STEP) if value <= limits.most_own << one), None
    )


def is_borne_out(seen: int, power: int, share: int, least: Limits, most: Limits) -> bool:
    """Whether q_t can have the power that its naming says, by a maker that sees it under one share.

    `seen` is q_t and a share below `share`; `least` and `most` are limits that the namer's cannot be below or
    above. Whoever names truly has opened q_t with noise of its own, which is nowhere negative, above
    2^(power − 8)·(own + rounding + noise): so q_t alone is above 2^(power − 8)·(own + rounding), and what is
    seen too. Nobody who names truly is refuted; whoever names a plausible q_t is, unless that is within a
    share of its limit.
    """
    below = (least.own + least.rounding) << (power - STEP)
    return below < seen <= (most.most_own << power) + share
