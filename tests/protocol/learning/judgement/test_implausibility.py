"""Whoever names an error truly is never refuted; whoever names a plausible one is, whatever power it says."""

from hypothesis import assume, given
from hypothesis import strategies as st

from protocol.learning.judgement.implausibility import MAXIMUM_POWER, STEP, is_borne_out, power_of
from protocol.learning.judgement.plausibility import Limits

NOISE = 3 << 10
REFERENCES = st.integers(1, 1 << 60)
SHARES = st.integers(0, NOISE // 3 - 1)
FRACTIONS = st.fractions(0, 1)


def limits(reference: int) -> Limits:
    return Limits.of(3, reference, 7, NOISE)


def width(power: int) -> int:
    """What a share is below."""
    return (NOISE // 3) << (power - STEP)


@given(reference=REFERENCES, spread=SHARES, noise=SHARES, excess=st.integers(1, 1 << 100), part=FRACTIONS)
def test_a_true_naming_is_borne_out_whatever_the_shares(reference, spread, noise, excess, part):
    """The namer's own limit is the true reference with its noise; makers know it to within theirs."""
    namers = limits(reference + noise)
    error = namers.most_own + excess
    power = power_of(error, namers)
    assume(power is not None)
    opened = error - noise  # it has opened the error with noise of its own
    seen = opened + int(part * (width(power) - 1))
    least, most = limits(reference - spread), limits(reference + NOISE)
    assert is_borne_out(seen, power, width(power), least, most)


@given(reference=REFERENCES, error=st.integers(-(1 << 60), 1 << 62), part=FRACTIONS)
def test_a_plausible_error_is_not_borne_out_but_within_a_share_of_its_limit(reference, error, part):
    known = limits(reference)
    assume(known.admits_own(error))
    for power in range(STEP, MAXIMUM_POWER + 1, STEP):
        seen = error + int(part * (width(power) - 1))
        if is_borne_out(seen, power, width(power), known, known):
            assert seen > (known.own + known.rounding) << (power - STEP)
            assert error > ((known.own + known.rounding) << (power - STEP)) - width(power)


@given(reference=st.integers(1 << 30, 1 << 60), power=st.sampled_from((8, 16, 24)), part=FRACTIONS)
def test_another_power_than_the_least_is_refuted(reference, power, part):
    known = limits(reference)
    error = (known.own - NOISE) << power  # by more than a share below the power's end
    for said in range(STEP, MAXIMUM_POWER + 1, STEP):
        borne_out = is_borne_out(error + int(part * (width(said) - 1)), said, width(said), known, known)
        assert borne_out == (said == power)


def test_powers_are_least_and_end_somewhere():
    known = limits(1000)
    assert power_of(known.most_own, known) is None
    assert power_of(-(1 << 200), known) is None
    assert power_of(known.most_own + 1, known) == STEP
    assert power_of(known.most_own << STEP, known) == STEP
    assert power_of((known.most_own << STEP) + 1, known) == 2 * STEP
    assert power_of(known.most_own << MAXIMUM_POWER, known) == MAXIMUM_POWER
    assert power_of((known.most_own << MAXIMUM_POWER) + 1, known) is None
