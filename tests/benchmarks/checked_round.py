"""`python -m tests.benchmarks.checked_round`: what a checked round costs each party in processor time.

A whole market as pure transitions, each party's steps timed by themselves: decoding, checks, arithmetic and
the new state, but no bus, no store and no signatures of the envelopes. All parties share one process, and
with it the tables that a process keeps of a training's bases and a round's products, so that whoever needs
them first pays for all; the first round does not count. Since a machine that others use too makes processors
slower, every figure also stands as the number of products modulo n² that it would have been the time for.

Beside that the products modulo n² are counted, of all parties' steps, and stand beside what they should be.
"""

from collections import defaultdict
from pathlib import Path
from statistics import mean, median
from time import process_time
from typing import Annotated, Any

import numpy as np
import pytest
import typer
from gmpy2 import mpz
from pydantic import BaseModel
from rich.console import Console
from rich.table import Table

from protocol.crypto.commitment_group import RSA_2048, CommitmentGroup
from protocol.learning.moments.widths import Start
from protocol.roles.dispatch import EncodedStep
from protocol.roles.engine.inputs import EventConfirmed, Input, MessageReceived
from protocol.roles.rounds.widths import started_widths
from tests.benchmarks import machine
from tests.benchmarks.expected_products import RoundSize
from tests.support.product_count import ProductCount
from tests.support.roles.checked_markets import ROLES
from tests.support.roles.pure_market import PureMarket
from tests.support.roles.pure_party import Matrix, Party

ROWS = 60
PROBED_PRODUCTS = 200


class Size(BaseModel):
    """Trainers T, validators V, parameters p with the intercept."""

    trainers: int
    validators: int
    parameters: int


SIZES = (
    Size(trainers=3, validators=2, parameters=11),
    Size(trainers=8, validators=4, parameters=11),
    Size(trainers=3, validators=2, parameters=31),
)
LARGE = Size(trainers=3, validators=2, parameters=101)


class RoundRun(BaseModel):
    """Medians of a round: of the busiest party of each kind, and of all parties together.

    Products modulo n² are those of the last round, by the message that brings them about.
    """

    size: Size
    rounds: int
    milliseconds: dict[str, float]
    thousand_products: dict[str, float]
    counted_products: dict[str, int]
    expected_products: dict[str, float]


class RoundReport(BaseModel):
    """All runs, and what they ran on."""

    machine: machine.MachineReport
    key_bits: int
    runs: list[RoundRun]


class TimedMarket(PureMarket):
    """Notes what each party's steps take, by round, and before each step what a product takes just then."""

    def __init__(self, request: dict[str, Any], data: list[Matrix], columns: list[str], **options: Any):
        super().__init__(request, data, columns, roles=ROLES, **options)
        self.seconds: defaultdict[int, defaultdict[str, float]] = defaultdict(lambda: defaultdict(float))
        self.probes: defaultdict[int, list[float]] = defaultdict(list)
        self.outside = 0.0
        self.count = ProductCount()
        self.counted: defaultdict[int, defaultdict[str, int]] = defaultdict(lambda: defaultdict(int))

    def deliver(self, party: Party, item: Input) -> EncodedStep | None:
        number, outside, products = round_of(item), self.outside, self._products()
        self.probes[number].append(seconds_of_a_product(self.key.public_key.n_squared))
        started = process_time()
        step = super().deliver(party, item)
        self.seconds[number][party.address] += process_time() - started - (self.outside - outside)
        self.counted[number][step_of(item)] += self._products() - products
        return step

    def apply(self, party: Party, effect: Any) -> None:
        started = process_time()
        super().apply(party, effect)
        self.outside += process_time() - started

    def _products(self) -> int:
        return self.count.products.get(self.key.public_key.n_squared.bit_length(), 0)

    def expected(self, trainers: int) -> dict[str, float]:
        """Products of a round's steps by formula, once the training is over."""
        ended = self.aggregator.decoded
        widths = started_widths(ended.request, ended.parties)
        sets = widths.moments.sets(trainers, Start.UNMEASURED)
        validators, parameters = len(self.validators()), ended.request.parameters
        size = RoundSize(ended.request.key_bits, trainers, validators, parameters, widths, sets)
        return size.by_step()

    def medians(self, rounds: range) -> tuple[dict[str, float], dict[str, float]]:
        """Milliseconds and thousand products of a round, by kind of party."""
        found, products = defaultdict[str, list[float]](list), defaultdict[str, list[float]](list)
        for one in rounds:
            spent = self.seconds[one]
            parts = {
                kind: max((spent[name] for name in names), default=0.0)
                for kind, names in self._kinds(one).items()
            }
            for kind, seconds in {**parts, "all": sum(spent.values())}.items():
                found[kind].append(1e3 * seconds)
                products[kind].append(seconds / mean(self.probes[one]) / 1e3)
        return _medians(found), _medians(products)

    def _kinds(self, round_number: int) -> dict[str, list[str]]:
        asked = self.sent("projection_request")
        checkers = [one.envelope.sender for one in asked if one.envelope.round == round_number]
        validators = [party.address for party in self.validators()]
        return {
            "trainer": [party.address for party in self.trainers()],
            "aggregator": [self.aggregator.address],
            "checker": checkers,
            "validator": [name for name in validators if name not in checkers],
            "buyer": [self.buyer.address],
        }


def _medians(found: dict[str, list[float]]) -> dict[str, float]:
    return {kind: median(values) for kind, values in found.items()}


def round_of(item: Input) -> int:
    """Which round an input belongs to; 0 for none. A round's record begins the measuring of the next."""
    if isinstance(item, MessageReceived):
        return item.signed.envelope.round
    if isinstance(item, EventConfirmed) and item.chain_event.event.event == "RoundRecorded":
        return item.chain_event.event.round + 1
    return 0


def step_of(item: Input) -> str:
    """What brings a step about: the type of a message, or the kind of another input."""
    return item.signed.envelope.type if isinstance(item, MessageReceived) else type(item).__name__


def seconds_of_a_product(modulus: mpz) -> float:
    """Of one squaring modulo n², on average."""
    number = mpz(3) ** (modulus.bit_length() // 2) % modulus
    started = process_time()
    for _ in range(PROBED_PRODUCTS):
        number = number * number % modulus
    return (process_time() - started) / PROBED_PRODUCTS


def timed_market(size: Size, *, key_bits: int, rounds: int, group: CommitmentGroup) -> TimedMarket:
    """A market of random rows about a line, before anything happens; the last seats are validators."""
    owners, features = size.trainers + size.validators, size.parameters - 1
    names = [f"x{index}" for index in range(features)]
    request = {
        "name": "benchmark",
        "features": [{"name": name, "minimum": -1, "maximum": 1} for name in names],
        "target": {"name": "y", "minimum": -100, "maximum": 100},
        "schedule": {"rounds": rounds, "local_steps": 2, "step_size": "0.05", "tolerance": 0},
        "payment": {"deposit_wei": str(10**18)},
        "bounds": {"min_rows": 5},
        "key_bits": key_bits,
        "owners": {"minimum": owners, "maximum": owners},
    }
    chance = np.random.default_rng(7)
    data = []
    for _ in range(owners):
        values = chance.uniform(-1, 1, (ROWS, features))
        target = values @ chance.uniform(-1, 1, features) * 50 / features + 12
        data.append(np.column_stack([values, target]))
    return TimedMarket(
        request, data, [*names, "y"], validators=list(range(size.trainers, owners)), group=group
    )


def measure(size: Size, *, key_bits: int, rounds: int, group: CommitmentGroup = RSA_2048) -> RoundRun:
    """So many rounds after a first one that is not counted; raises RuntimeError where one is missing."""
    market = timed_market(size, key_bits=key_bits, rounds=rounds + 1, group=group)
    with pytest.MonkeyPatch.context() as patch:
        market.count.install(patch)
        market.start()
        market.finish()
    if len(market.contract.recorded) != rounds + 1:
        raise RuntimeError(f"{len(market.contract.recorded)} rounds were recorded")
    milliseconds, products = market.medians(range(2, rounds + 2))
    return RoundRun(
        size=size,
        rounds=rounds,
        milliseconds=milliseconds,
        thousand_products=products,
        counted_products={step: count for step, count in market.counted[rounds + 1].items() if count},
        expected_products=market.expected(size.trainers),
    )


def show(report: RoundReport, console: Console) -> None:
    """A row for each size: milliseconds, and beside them thousands of products."""
    title = f"A checked round at {report.key_bits} bits: processor ms (thousand products)"
    kinds = list(report.runs[0].milliseconds)
    table = Table("T, V, p", *kinds, title=title)
    for run in report.runs:
        size = f"{run.size.trainers}, {run.size.validators}, {run.size.parameters}"
        cells = (f"{run.milliseconds[kind]:,.0f} ({run.thousand_products[kind]:,.0f})" for kind in kinds)
        table.add_row(size, *cells)
    console.print(table)


def show_products(report: RoundReport, console: Console) -> None:
    """A row for each step: products modulo n² of all parties, and in brackets what they should be."""
    sizes = [f"{one.size.trainers}, {one.size.validators}, {one.size.parameters}" for one in report.runs]
    table = Table("T, V, p", *sizes, title="Products modulo n² of a round: counted (expected)")
    steps = list(dict.fromkeys(step for one in report.runs for step in one.counted_products))
    for step in steps:
        cells = (
            (one.counted_products.get(step, 0), one.expected_products.get(step, 0)) for one in report.runs
        )
        table.add_row(step, *(f"{counted:,} ({expected:,.0f})" for counted, expected in cells))
    totals = (
        (sum(one.counted_products.values()), sum(one.expected_products.values())) for one in report.runs
    )
    table.add_row("all", *(f"{counted:,} ({expected:,.0f})" for counted, expected in totals))
    console.print(table)


def main(
    key_bits: Annotated[int, typer.Option(min=1024, help="The buyer's key.")] = 3072,
    rounds: Annotated[int, typer.Option(min=1, help="Rounds to take the median of.")] = 3,
    large: Annotated[bool, typer.Option(help="Also 101 parameters, which takes minutes.")] = False,
    parameters: Annotated[int | None, typer.Option(help="Only sizes of so many, of 101 too.")] = None,
    json: Annotated[Path | None, typer.Option(help="Also write every figure to this file.")] = None,
) -> None:
    """What a checked round costs each party and all of them, in processor time."""
    console, runs = Console(), []
    sizes = [one for one in (*SIZES, LARGE) if one.parameters == parameters]
    if parameters is not None and not sizes:
        raise typer.BadParameter(f"no size has {parameters} parameters; there are 11, 31 and 101")
    for size in sizes or (*SIZES, *((LARGE,) if large else ())):
        with console.status(f"T = {size.trainers}, V = {size.validators}, p = {size.parameters}"):
            runs.append(measure(size, key_bits=key_bits, rounds=rounds))
    report = RoundReport(machine=machine.describe(), key_bits=key_bits, runs=runs)
    show(report, console)
    show_products(report, console)
    if json is not None:
        json.write_text(report.model_dump_json(indent=2))


if __name__ == "__main__":
    typer.run(main)
