"""A market of three trainers, of whom the first one's targets are all zero: in round 2 it errs too much."""

from functools import cache

import numpy as np

from protocol.roles import dispatch
from tests.adversaries.arena import Arena, Deed, arena_of, committing_to_a_multiple, replaced
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


@cache
def _drawn(rounds: int, owners: int, times: int) -> PureMarket:
    validators = tuple(range(3, owners))
    schedule = {"rounds": rounds, **SCHEDULE}
    market = checked_market(validators, data=bad_data(owners), schedule=schedule, features=[COLUMN])
    make_willing(market)
    if times != 1:
        market.run_step = dispatch.run_step  # what honest owners do is remembered otherwise
    liar = committing_to_a_multiple(lambda: market.owners[3].address, times) if times != 1 else ()
    with replaced(liar):
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
