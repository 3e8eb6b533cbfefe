"""A market of three trainers, of whom the first one's targets are all zero: in round 2 it errs too much."""

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np

from protocol.crypto.commitments import CommittedVector
from protocol.learning.gram import gram_triangle
from protocol.roles import dispatch
from protocol.roles.owner import commitments, committing
from tests.adversaries.arena import Arena, Deed, Replaced, arena_of, replaced, unlimited
from tests.adversaries.deeds import honestly
from tests.support.roles.checked_markets import checked_market
from tests.support.roles.depositors import make_willing
from tests.support.roles.pure_market import PureMarket
from tests.support.roles.small_markets import Matrix

ROWS, COLUMN = 12, {"name": "x0", "minimum": -10, "maximum": 10}
SCHEDULE = {"local_steps": 200, "step_size": "0.5", "tolerance": 0}


def bad_data(owners: int) -> list[Matrix]:
    """One array of rows for each owner, about one line but for the first one's."""
    generator = np.random.default_rng(7)
    data = []
    for _ in range(owners):
        features = generator.uniform(-5, 5, (ROWS, 2))
        data.append(np.column_stack([features, features @ [6.0, 0.0] + 12 + generator.normal(0, 1, ROWS)]))
    data[0][:, 2] = 0.0
    return data


def committing_to_a_multiple(market: PureMarket, times: int) -> Sequence[Replaced]:
    """The first validator has so many times the matrix of its rows, which is then none."""
    honest = commitments.commit_to

    def multiplied(factor: Matrix) -> list[int]:
        return [times * int(one) for one in gram_triangle(factor)]

    def commit(*arguments: Any) -> Any:
        if arguments[4] != market.owners[3].address:
            return honest(*arguments)
        matrix = Replaced(committing, "gram_triangle", multiplied)
        with replaced((matrix, Replaced(CommittedVector, "draw", unlimited))):
            return honest(*arguments)

    return (Replaced(commitments, "commit_to", commit),)


@cache
def _drawn(rounds: int, owners: int, times: int) -> PureMarket:
    validators = tuple(range(3, owners))
    schedule = {"rounds": rounds, **SCHEDULE}
    market = checked_market(validators, data=bad_data(owners), schedule=schedule, features=[COLUMN])
    make_willing(market)
    if times != 1:
        market.run_step = dispatch.run_step  # what honest owners do is remembered otherwise
    with replaced(committing_to_a_multiple(market, times) if times != 1 else ()):
        while market.contract.status != "running":
            market.deliver_next()
    return market


def bad_trainer(
    rounds: int = 3, owners: int = 5, who: str = "nobody", deed: Deed = honestly, *, times: int = 1
) -> Arena:
    """That market when its roles have just been drawn, with somebody in it who is not honest.

    `times` is what the first validator's committed matrix is multiplied by.
    """
    arena = arena_of(_drawn(rounds, owners, times))
    if who == "nobody":
        arena.who, arena.adversary, arena.memory, arena.wrapped, arena.turned_away = who, who, {}, (), []
    else:
        arena.enter(who, deed, redraws=None)
    return arena
