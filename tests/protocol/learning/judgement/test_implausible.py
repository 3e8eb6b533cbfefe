"""`implausible`: what an honest buyer says is never its fault, and what a lying one says is."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocol.errors import ProtocolViolation
from protocol.learning.judgement.faults import Demand, Fault, Offence
from protocol.learning.judgement.implausible import (
    WIDENINGS,
    Interval,
    Outlier,
    SitOut,
    judge_negative,
    judge_statement,
    outliers,
    require_statement,
    share_bound,
)
from protocol.learning.judgement.plausibility import Limits

LIMITS = Limits.of(trainers=3, reference=1 << 60, rounding=1 << 20, noise=3 << 36)
SHARE = 1 << 36
BUYER = "buyer"
ERRORS = st.one_of(
    st.integers(0, LIMITS.own),
    st.builds(
        lambda sign, bits, low: sign * ((1 << bits) + low),
        st.sampled_from([1, -1]),
        st.integers(0, 95),
        st.integers(-3, 3),
    ),
    st.builds(
        lambda edge, off: edge + off,
        st.sampled_from([sign * (LIMITS.own << k) for sign in (1, -1) for k in WIDENINGS]),
        st.integers(-(1 << 40), 1 << 40),
    ),
)
STATEMENTS = st.builds(Outlier, st.just(0), st.booleans(), st.sampled_from(WIDENINGS)).filter(
    lambda one: one.negative or one.widening
)


def opened(error: int, widening: int, shares: tuple[float, float, float] = (0.5, 0.5, 0.5)) -> Interval:
    """What a checker knows of an error under three shares, the last of which it does not know."""
    bound = share_bound(SHARE, widening)
    first, second, third = (int(part * (bound - 1)) for part in shares)
    return Interval.of(error + first + second + third, first + second, bound)


FRACTIONS = st.floats(0, 1)
SHARES = st.tuples(FRACTIONS, FRACTIONS, FRACTIONS)


@settings(max_examples=60)
@given(st.lists(ERRORS, min_size=1, max_size=4), SHARES, st.floats(0, 1))
def test_an_honest_buyer_is_never_named(errors: list[int], shares: tuple, noise: float) -> None:
    """Nor for what it saw under other noise than the checkers see now."""
    seen = [error + int(noise * LIMITS.noise) for error in errors]
    statement = outliers(seen, LIMITS)
    if not statement:
        return
    require_statement(statement, len(errors))
    known = {one.trainer: opened(errors[one.trainer], one.widening, shares) for one in statement}
    judgement = judge_statement(BUYER, statement, known, LIMITS)
    negative = any(one.negative for one in statement)
    assert judgement == (Demand.RANGES if negative else SitOut(tuple(known)))


@settings(max_examples=60)
@given(st.integers(0, LIMITS.own), STATEMENTS, SHARES)
def test_one_that_names_a_plausible_trainer_is(error: int, said: Outlier, shares: tuple) -> None:
    """Unless noise hides on which side of the limit an error is."""
    width = LIMITS.rounding + LIMITS.noise + share_bound(SHARE, said.widening)
    if width < error < LIMITS.own - width:
        judgement = judge_statement(BUYER, [said], {0: opened(error, said.widening, shares)}, LIMITS)
        assert judgement == (Fault(BUYER, Offence.FALSE_STATEMENT),)


@settings(max_examples=60)
@given(ERRORS, STATEMENTS, SHARES)
def test_so_is_one_that_tells_another_sign_or_size(error: int, said: Outlier, shares: tuple) -> None:
    """A trainer's error would be hidden by shares of another width than it needs."""
    true = outliers([error], LIMITS)
    margin = share_bound(SHARE, 24) + LIMITS.noise + LIMITS.rounding
    edges = [sign * (LIMITS.own << k) for sign in (1, -1) for k in WIDENINGS] + [0]
    if true and said not in true and all(abs(error - edge) > margin for edge in edges):
        judgement = judge_statement(BUYER, [said], {0: opened(error, said.widening, shares)}, LIMITS)
        assert judgement == (Fault(BUYER, Offence.FALSE_STATEMENT),)


def test_naming_the_best_trainer_each_round_would_take_the_pot_to_zero() -> None:
    """Believed, the buyer has whoever improves the model sit out; opened, it names itself."""
    errors, improvements = [100, 60, 90], []
    for _ in range(3):
        best = min(range(3), key=errors.__getitem__)
        sits = [Outlier(best, negative=False, widening=8)]
        believed = [error for trainer, error in enumerate(errors) if trainer != sits[0].trainer]
        improvements.append(1 - min(believed) / 90)
        scaled = errors[best] * (LIMITS.own // 400)
        judgement = judge_statement(BUYER, sits, {best: opened(scaled, 8)}, LIMITS)
        assert judgement == (Fault(BUYER, Offence.FALSE_STATEMENT),)
    assert improvements == [0, 0, 0]


def test_one_validator_s_indefinite_matrix_makes_exactly_one_honest_trainer_implausible() -> None:
    """Who would sit out if members were not opened; opened, it is the validator that is named."""
    rng = np.random.default_rng(2)
    models = np.column_stack([rng.uniform(-1, 1, (3, 4)), -np.ones(3)])
    rows = rng.uniform(-1, 1, (30, 5))
    honest = rows.T @ rows / 30
    target = np.linalg.lstsq(models, [1.0, 0, 0], rcond=None)[0]
    lying = honest - 4 * np.outer(target, target)
    scale = 2.0**60
    errors = {
        member: {trainer: int(theta @ matrix @ theta * scale) for trainer, theta in enumerate(models)}
        for member, matrix in (("honest", honest), ("lying", lying))
    }
    sums = [sum(one[trainer] for one in errors.values()) for trainer in range(3)]
    statement = outliers(sums, LIMITS)
    assert [(one.trainer, one.negative) for one in statement] == [(0, True)]
    known = {0: opened(sums[0], statement[0].widening)}
    assert judge_statement(BUYER, statement, known, LIMITS) is Demand.RANGES
    metrics = {m: {0: opened(one[0], statement[0].widening)} for m, one in errors.items()}
    rounding = dict.fromkeys(errors, LIMITS.rounding // 2)
    addresses = ["t0", "t1", "t2"]
    in_range = dict.fromkeys(addresses, True)
    named = judge_negative(statement, addresses, in_range, metrics, rounding)
    assert named == (Fault("lying", Offence.NEGATIVE_ERROR),)
    unopened = judge_negative(statement, addresses, in_range, {"honest": metrics["honest"]}, rounding)
    assert unopened == SitOut((0,))


def test_ranges_come_before_members_and_a_trainer_out_of_range_is_named_in_their_place() -> None:
    """Rounding of an honest matrix grows with the weights' square: it would pay for a trainer's."""
    statement = [Outlier(1, negative=True, widening=0)]
    metrics = {"member": {1: Interval(-1000, -990)}}
    rounding = {"member": 10}
    addresses = ["t0", "t1"]

    def judged(in_range, shown=metrics):
        return judge_negative(statement, addresses, in_range, shown, rounding)

    assert judged(None) is judged({"t0": True}) is Demand.RANGES
    assert judged({"t1": False}) == (Fault("t1", Offence.OUT_OF_RANGE),)
    assert judged({"t0": False, "t1": True}) == (Fault("member", Offence.NEGATIVE_ERROR),)
    assert judged({"t1": True}, None) is Demand.MEMBER_METRICS


@settings(max_examples=60)
@given(st.integers(-10, 1 << 60), SHARES)
def test_a_member_negative_by_rounding_alone_stays(error: int, shares: tuple) -> None:
    statement = [Outlier(0, negative=True, widening=0)]
    found = judge_negative(statement, ["t"], {"t": True}, {"m": {0: opened(error, 0, shares)}}, {"m": 10})
    assert found == SitOut((0,))


class Errors:
    """Two members' integer matrices RᵀR and three trainers' models, at scales of their own."""

    def __init__(self, seed: int, liar: str) -> None:
        rng = np.random.default_rng(seed)
        self.trainers, self.members = ("t0", "t1", "t2"), ("v0", "v1")
        size = 1 << 40 if liar == "t0" else 16
        self.models = [[int(x) for x in rng.integers(-16, 17, 3)] + [-1] for _ in self.trainers]
        self.models[0][0] = 15 * size
        roots = [rng.integers(-(1 << 14), 1 << 14, (4, 4)).astype(object) for _ in self.members]
        if liar == "t0":
            for root in roots:
                root[:, 0] = 0  # No row shows what its weight is multiplied by.
        # Less one on the diagonal, as rounding may have it: a model out of range makes that any size.
        self.matrices = [root.T @ root - np.eye(4, dtype=int) for root in roots]
        if liar == "v0":
            self.matrices[0] -= int(rng.integers(1 << 20, 1 << 50)) * np.eye(4, dtype=int)
        self.rounding = dict.fromkeys(self.members, 4 * 4 * (16 * 16) ** 2)

    def of(self, member: int) -> list[int]:
        return [
            int(np.array(one, object) @ self.matrices[member] @ np.array(one, object)) for one in self.models
        ]


@settings(max_examples=60)
@given(st.integers(0, 1 << 32), st.sampled_from(["buyer", "v0", "t0", "nobody"]), st.data())
def test_no_statement_matrix_or_model_of_one_party_has_another_named(
    seed: int, liar: str, data: st.DataObject
) -> None:
    world = Errors(seed, liar)
    limits = Limits.of(3, 1 << 42, sum(world.rounding.values()), 3 * SHARE)
    errors = [world.of(0), world.of(1)]
    totals = [sum(column) for column in zip(*errors, strict=True)]
    statement = outliers(totals, limits)
    if liar == "buyer":
        said = st.builds(Outlier, st.integers(0, 2), st.booleans(), st.sampled_from(WIDENINGS))
        statement = (data.draw(said.filter(lambda one: one.negative or one.widening)),)
    if not statement:
        return
    shares = data.draw(SHARES)
    known = {one.trainer: opened(totals[one.trainer], one.widening, shares) for one in statement}
    found = judge_statement(BUYER, statement, known, limits)
    assert liar != "t0" or found is Demand.RANGES
    if found is Demand.RANGES:
        metrics = {
            member: {one.trainer: opened(error[one.trainer], one.widening, shares) for one in statement}
            for member, error in zip(world.members, errors, strict=True)
        }
        in_range = {"t0": liar != "t0", "t1": True, "t2": True}
        found = judge_negative(statement, world.trainers, in_range, metrics, world.rounding)
        if liar == "t0":
            unlooked = judge_negative(
                statement, world.trainers, dict.fromkeys(world.trainers, True), metrics, world.rounding
            )
            assert {fault.accused for fault in unlooked} == {"v0", "v1"}
    assert isinstance(found, SitOut) or {fault.accused for fault in found} == {liar}


def test_shares_widen_with_what_they_hide() -> None:
    assert [share_bound(5, k) for k in WIDENINGS] == [5, 5, 5 << 8, 5 << 16]


@pytest.mark.parametrize(
    "statement",
    [
        [],
        [Outlier(0, False, 0)],
        [Outlier(0, True, 7)],
        [Outlier(0, False, 32)],
        [Outlier(3, True, 0)],
        [Outlier(-1, True, 0)],
        [Outlier(1, True, 0), Outlier(0, True, 0)],
        [Outlier(1, True, 0), Outlier(1, True, 8)],
    ],
)
def test_statements_that_nobody_can_make_are_refused(statement: list[Outlier]) -> None:
    with pytest.raises(ProtocolViolation, match="bad_statement"):
        require_statement(statement, 3)
