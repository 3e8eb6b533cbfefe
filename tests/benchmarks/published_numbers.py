"""`python -m tests.benchmarks.published_numbers`: what honest trainings publish, against the same in floats.

Whole markets as pure transitions. Every published number (v₀, the error after the round, q and c of each
trainer) and every weight of the bought model is held against `protocol.learning.plaintext` on the same rows.
Published numbers are in squared declared units, in which the target lies between −1 and 1. How far they lie
from the plain ones follows from the fixed-point scales (`protocol.learning.scales`) and from the noise that
is added, neither of which depends on the key: so most cases have keys of 1024 bits, and one has 3072.
"Without noise" every share of it is nought, which no party of a market can bring about.
"""

from dataclasses import dataclass
from time import process_time
from typing import Annotated

import numpy as np
import pytest
import typer
from pydantic import BaseModel
from rich.console import Console
from rich.table import Column, Table

from protocol.crypto.commitment_group import RSA_2048
from protocol.learning.checked_openings import noise
from protocol.learning.plaintext import RoundMetrics
from tests.support.groups import small_group
from tests.support.roles.plain_market import bought_weights, delivered_round, plain_twin
from tests.support.roles.pure_contract import recorded_errors
from tests.support.roles.pure_market import PureMarket
from tests.support.roles.pure_party import Matrix

WITH_NOISE, WITHOUT_NOISE = 2e-6, 1e-9
"""Largest distances of a published number, in squared declared units."""
OF_WEIGHTS = 1e-8
"""Largest distance of a weight, as a share of the largest weight."""
TRAINERS, VALIDATORS, ROWS, FEATURES = 3, 2, 40, 4
_SMALL_KEY = 1024


@dataclass(frozen=True)
class Case:
    """A training: so many rounds of so many local steps by five owners."""

    rounds: int
    local_steps: int
    collinear: bool = False
    noisy: bool = True
    key_bits: int = _SMALL_KEY

    @property
    def bound(self) -> float:
        """What no published number may be away from its plain one."""
        return WITH_NOISE if self.noisy else WITHOUT_NOISE

    def __str__(self) -> str:
        columns = ", collinear" if self.collinear else ""
        quiet = "" if self.noisy else ", without noise"
        return f"{self.rounds} × {self.local_steps}{columns}{quiet}, {self.key_bits} bits"


SCHEDULES = ((20, 5), (5, 500), (100, 1))
CASES = (
    *(Case(*schedule, noisy=noisy) for schedule in SCHEDULES for noisy in (True, False)),
    *(Case(*schedule, collinear=True, noisy=noisy) for schedule in SCHEDULES[:2] for noisy in (True, False)),
)
FULL_KEY = Case(20, 5, key_bits=3072)


class Distance(BaseModel):
    """How far a training came from its plain twin; `weights` as a share of the largest weight."""

    case: str
    bound: float
    published: float
    weights: float
    rounds: int
    processor_seconds: float

    @property
    def holds(self) -> bool:
        """Whether nothing is further away than it may be."""
        return self.published <= self.bound and self.weights <= OF_WEIGHTS


def owners_rows(collinear: bool) -> list[Matrix]:
    """Of each owner ROWS rows [x y] about a line.

    Of collinear ones the third column is the first again, the fourth half of the first's and second's sum:
    with the intercept the Gram matrix has rank 3 of 5.
    """
    chance = np.random.default_rng(11)
    slopes = chance.uniform(-1, 1, FEATURES)
    found = []
    for _ in range(TRAINERS + VALIDATORS):
        values = chance.uniform(-1, 1, (ROWS, FEATURES))
        if collinear:
            values[:, 2], values[:, 3] = values[:, 0], (values[:, 0] + values[:, 1]) / 2
        target = 40 * values @ slopes + 12 + chance.normal(0, 8, ROWS)
        found.append(np.column_stack([values, np.clip(target, -200, 200)]))
    return found


def market_of(case: Case) -> PureMarket:
    """The market, before anything happens; each owner's steps are the largest that its rows allow."""
    names, owners = [f"x{index}" for index in range(FEATURES)], TRAINERS + VALIDATORS
    request = {
        "name": "published numbers",
        "features": [{"name": name, "minimum": -1, "maximum": 1} for name in names],
        "target": {"name": "y", "minimum": -200, "maximum": 200},
        "schedule": {
            "rounds": case.rounds,
            "local_steps": case.local_steps,
            "step_size": "auto",
            "tolerance": 0,
        },
        "payment": {"deposit_wei": str(10**18)},
        "bounds": {"min_rows": 5},
        "key_bits": case.key_bits,
        "owners": {"minimum": owners, "maximum": owners},
    }
    group = small_group() if case.key_bits == _SMALL_KEY else RSA_2048
    validators = list(range(TRAINERS, owners))
    return PureMarket(request, owners_rows(case.collinear), [*names, "y"], validators=validators, group=group)


def measure(case: Case) -> Distance:
    """Play the training to its end; raises RuntimeError where one of its rounds is missing."""
    began, market = process_time(), market_of(case)
    with pytest.MonkeyPatch.context() as patch:
        if not case.noisy:
            # A share is drawn below the bound: below 1 there is nothing but 0.
            patch.setattr(noise, "noise_bound", lambda *_: 1)
        market.start()
        market.finish()
    if len(market.contract.recorded) != case.rounds:
        raise RuntimeError(f"{case}: {len(market.contract.recorded)} rounds were recorded")
    return Distance(
        case=str(case),
        bound=case.bound,
        published=_of_published(market),
        weights=_of_weights(market),
        rounds=case.rounds,
        processor_seconds=process_time() - began,
    )


def _of_published(market: PureMarket) -> float:
    rounds = zip(recorded_errors(market.contract), plain_twin(market).metrics, strict=True)
    return max(
        float(np.abs(np.array([start, after, *own, *cross]) - _plain(plain)).max())
        for (start, after, own, cross), plain in rounds
    )


def _plain(metrics: RoundMetrics) -> Matrix:
    return np.array([metrics.start, metrics.after, *metrics.own, *metrics.cross])


def _of_weights(market: PureMarket) -> float:
    plain = plain_twin(market, delivered_round(market)).averaging.models[-1]
    return float(np.abs(bought_weights(market) - plain).max() / np.abs(plain).max())


def show(found: list[Distance], console: Console) -> None:
    """A row for each training."""
    table = Table(
        Column("rounds × steps", no_wrap=True),
        "published",
        "at most",
        "weights",
        "at most",
        "processor s",
        "holds",
    )
    for one in found:
        numbers = (one.published, one.bound, one.weights, OF_WEIGHTS)
        cells = (f"{number:.1e}" for number in numbers)
        table.add_row(one.case, *cells, f"{one.processor_seconds:.0f}", "yes" if one.holds else "NO")
    console.print(table)


def main(
    rounds: Annotated[int | None, typer.Option(min=1, help="Only cases of so many rounds.")] = None,
    *,
    full_key: Annotated[bool, typer.Option(help="Also one of 3072 bits, which takes minutes.")] = True,
) -> None:
    """Every published number of honest trainings against the plain ones; status 1 where one is too far."""
    found, console = [], Console()
    for case in (*CASES, *((FULL_KEY,) if full_key else ())):
        if rounds in (None, case.rounds):
            console.print(f"{case} …")
            found.append(measure(case))
    show(found, console)
    if not all(one.holds for one in found):
        raise typer.Exit(1)


if __name__ == "__main__":
    typer.run(main)
