"""Contributions in Solidity and in Python: the same integers, and those of the Shapley value."""

import os
import random
from fractions import Fraction
from itertools import combinations
from math import comb, isclose

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.learning.shapley import (
    contributions,
    contributions_fixed,
    mse_after_fixed,
    truncated,
)
from protocol.payment import PaidRound, error_left, improvement, pay_weights
from protocol.records import FIXED_POINT
from services.chain.rpc.http import HttpRpc
from tests.support.chain.compiled import called

GAMES, BATCH, MOST_TRAINERS = 10_000 if "DELTAML_ALL_TABLES" in os.environ else 2000, 500, 16
TRAININGS = 500
ERRORS = ("mse_before", "mse_after")
BOUND = 1 << 128
Game = tuple[int, int, int, list[int], list[int]]  # best and last error left, error before, own, cross


async def test_solidity_and_python_compute_the_same_integers(roomy_anvil_url, forge_output):
    games = [_game(random.Random(number), 1 + number % MOST_TRAINERS) for number in range(GAMES)]
    harness = forge_output("ShapleyHarness.sol", "ShapleyHarness")
    async with HttpRpc(roomy_anvil_url) as rpc:
        for start in range(0, GAMES, BATCH):
            batch = games[start : start + BATCH]
            (outcomes,) = await called(rpc, harness, "play", [batch])
            assert [_lists(outcome) for outcome in outcomes] == [_outcome(game) for game in batch]


def _lists(outcome):
    after, shapley, weights, left = outcome
    return after, list(shapley), list(weights), left


def _outcome(game: Game):
    best, last, v0, own, cross = game
    after = mse_after_fixed(cross, len(own))
    shapley = contributions_fixed(v0, own, cross)
    left = error_left(last, v0, after) if v0 and after >= 0 else 0
    return after, shapley, pay_weights(best, left, shapley) if after >= 0 else [], left


async def test_solidity_and_python_pay_the_same_improvement_of_whole_trainings(roomy_anvil_url, forge_output):
    """Of any errors below the bound whose products stay below it, as the contract has it."""
    source, trainings = random.Random(0), []
    while len(trainings) < TRAININGS:
        width = source.randrange(2, 129)
        errors = [[source.randrange(1, 1 << width) for _ in range(2)] for _ in range(source.randrange(1, 40))]
        rounds = [PaidRound(1, False, before, after, (), (), ()) for before, after in errors]
        if _stays_below_the_bound(rounds):
            trainings.append(rounds)
    harness = forge_output("ShapleyHarness.sol", "ShapleyHarness")
    async with HttpRpc(roomy_anvil_url) as rpc:
        for start in range(0, TRAININGS, TRAININGS // 5):
            batch = trainings[start : start + TRAININGS // 5]
            errors = [[[getattr(one, name) for one in rounds] for rounds in batch] for name in ERRORS]
            (improvements,) = await called(rpc, harness, "improve", errors)
            assert list(improvements) == [improvement(rounds) for rounds in batch]
            assert len(set(improvements)) > 10


def _stays_below_the_bound(rounds: list[PaidRound]) -> bool:
    left = rounds[0].mse_before
    for one in rounds:
        left = error_left(left, one.mse_before, one.mse_after)
        if left >= BOUND:
            return False
    return True


def _game(source: random.Random, trainers: int) -> Game:
    """Of every kind: plausible metrics, any numbers up to the bound, and numbers at their bounds only."""
    kind = source.randrange(3)
    width = source.randrange(1, 129) if kind == 1 else 128
    if kind == 0:
        own, cross = _plausible(source, trainers)
        return *(source.randrange(10**21) for _ in range(3)), own, cross
    if kind == 1:
        own = [source.randrange(1 << width) for _ in range(trainers)]
        cross = [source.randrange(1 - (1 << width), 1 << width) for _ in range(trainers)]
        return *(source.randrange(1 << width) for _ in range(3)), own, cross
    own = [source.choice((0, BOUND - 1)) for _ in range(trainers)]
    cross = [source.choice((1 - BOUND, 0, BOUND - 1)) for _ in range(trainers)]
    return BOUND - 1, BOUND - 1, source.choice((0, BOUND - 1)), own, cross


def _plausible(source: random.Random, trainers: int) -> tuple[list[int], list[int]]:
    products = _products(source, trainers)
    return [products[i][i] for i in range(trainers)], [sum(row) for row in products]


def _products(source: random.Random, trainers: int) -> list[list[int]]:
    """K of random residuals: errors between 1 and a few hundred, × 1e18."""
    residuals = [[source.randrange(-(10**10), 10**10) for _ in range(3)] for _ in range(trainers)]
    return [[sum(a * b for a, b in zip(r, s, strict=True)) for s in residuals] for r in residuals]


@pytest.mark.parametrize("trainers", range(1, 9))
def test_the_integers_are_within_t_units_of_the_definition_over_all_coalitions(trainers):
    for seed in range(3):
        source = random.Random(seed)
        products = _products(source, trainers)
        v0 = source.randrange(10**21)
        own, cross = [products[i][i] for i in range(trainers)], [sum(row) for row in products]
        for number, value in enumerate(contributions_fixed(v0, own, cross)):
            assert abs(value - _by_definition(products, v0, number)) <= trainers


def _by_definition(products: list[list[int]], v0: int, player: int) -> Fraction:
    def worth(members: tuple[int, ...]) -> Fraction:
        if not members:
            return Fraction(-v0)
        return -Fraction(sum(products[s][t] for s in members for t in members), len(members) ** 2)

    others = [number for number in range(len(products)) if number != player]
    gained = Fraction(0)
    for size in range(len(products)):
        gains = (worth((*members, player)) - worth(members) for members in combinations(others, size))
        gained += sum(gains, Fraction(0)) / comb(len(others), size)
    return gained / len(products)


metrics = st.integers(0, 10**24)
games = st.integers(1, MOST_TRAINERS).flatmap(
    lambda count: st.tuples(
        metrics,
        st.lists(metrics, min_size=count, max_size=count),
        st.lists(st.integers(-(10**24), 10**24), min_size=count, max_size=count),
    )
)


@given(games)
def test_the_integers_are_within_t_units_of_the_formula(game):
    v0, own, cross = game
    for value, expected in zip(contributions_fixed(v0, own, cross), _formula(v0, own, cross), strict=True):
        assert abs(value - expected) <= len(own)


@given(games)
def test_the_float_formula_gives_the_same_to_its_precision(game):
    v0, own, cross = game
    floats = contributions(v0 / FIXED_POINT, [q / FIXED_POINT for q in own], [c / FIXED_POINT for c in cross])
    size = (v0 + sum(own) + sum(map(abs, cross))) / FIXED_POINT
    for value, expected in zip(contributions_fixed(v0, own, cross), floats, strict=True):
        assert isclose(value / FIXED_POINT, expected, rel_tol=1e-12, abs_tol=1e-14 * size + 1e-16)


@given(games)
def test_the_values_add_up_to_what_the_round_gained(game):
    v0, own, cross = game
    if len(own) == 1:
        cross = own  # a single trainer's model is the average
    gained = v0 - mse_after_fixed(cross, len(own))
    assert abs(sum(contributions_fixed(v0, own, cross)) - gained) <= 2 * len(own)


def _formula(v0: int, own: list[int], cross: list[int]) -> list[Fraction]:
    """The formula at the head of shapley.py, term by term in exact fractions."""
    count, result = len(own), []
    for q, c in zip(own, cross, strict=True):
        row, rest = c - q, sum(own) - q
        outside = sum(cross) - sum(own) - 2 * row
        phi = Fraction(v0)
        for s in range(count):
            p = Fraction(s, count - 1) if count > 1 else Fraction(0)
            h = Fraction(s * (s - 1), (count - 1) * (count - 2)) if count > 2 else Fraction(0)
            phi -= (q + 2 * p * row + p * rest + h * outside) / (s + 1) ** 2
            phi += (p * rest + h * outside) / s**2 if s else 0
        result.append(phi / count)
    return result


@given(st.integers(-(10**30), 10**30), st.integers(1, 10**6))
def test_division_rounds_toward_zero(numerator, denominator):
    assert truncated(numerator, denominator) == int(Fraction(numerator, denominator))
