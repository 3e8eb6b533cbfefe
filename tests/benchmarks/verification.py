"""`python -m tests.benchmarks.verification`: what it takes to verify a training afterwards, by party.

A whole market is played as pure transitions; then each party's transcript, written as `deltaml transcript`
writes it, is read and verified as `deltaml verify` does, with the party's key, on as many cores as there are.
"""

import os
from pathlib import Path
from resource import RUSAGE_CHILDREN, RUSAGE_SELF, getrusage
from time import perf_counter
from typing import Annotated

import typer
from pydantic import BaseModel
from rich.console import Console
from rich.table import Table

from protocol.crypto.commitment_group import RSA_2048, CommitmentGroup
from protocol.verification.expected import Expected
from protocol.verification.report import Report
from protocol.verification.transcript import from_bytes, to_bytes
from protocol.verification.verify import verify
from services.cli.round_pool import side_by_side
from tests.benchmarks import machine
from tests.benchmarks.checked_round import Size, timed_market
from tests.support.roles.pure_contract import MARKET, TRAINING
from tests.support.roles.pure_market import PureMarket
from tests.support.roles.pure_party import Party
from tests.support.roles.transcripts import entries_of, sealed

MEGABYTE = 1e6


class Verified(BaseModel):
    """One party's transcript: its size, and what its verification took."""

    party: str
    entries: int
    megabytes: float
    processor_seconds: float
    wall_seconds: float
    rounds: int


class VerificationReport(BaseModel):
    """All parties' of one training."""

    machine: machine.MachineReport
    size: Size
    key_bits: int
    parties: list[Verified]


def played(size: Size, *, key_bits: int, rounds: int, group: CommitmentGroup = RSA_2048) -> PureMarket:
    """A training of so many rounds to its end; raises RuntimeError where one is missing."""
    market = timed_market(size, key_bits=key_bits, rounds=rounds, group=group)
    market.start()
    market.finish()
    if len(market.contract.recorded) != rounds:
        raise RuntimeError(f"{len(market.contract.recorded)} rounds were recorded")
    return market


def measured(market: PureMarket, group: CommitmentGroup = RSA_2048) -> list[Verified]:
    """A party of each kind; raises RuntimeError where a transcript does not verify."""
    parties = {
        "buyer": market.buyer,
        "aggregator": market.aggregator,
        "trainer": market.trainers()[0],
        "checker": market.validators()[0],
    }
    return [_measured(market, name, party, group) for name, party in parties.items()]


def _measured(market: PureMarket, name: str, party: Party, group: CommitmentGroup) -> Verified:
    content = to_bytes(sealed(party, entries_of(market, party)))
    started, spent = perf_counter(), _processor_seconds()
    report = _report(content, party, group)
    if report.failure is not None:
        raise RuntimeError(f"the {name}'s transcript differs: {report.failure}")
    return Verified(
        party=name,
        entries=report.entries,
        megabytes=len(content) / MEGABYTE,
        processor_seconds=_processor_seconds() - spent,
        wall_seconds=perf_counter() - started,
        rounds=len(report.rounds),
    )


def _report(content: bytes, party: Party, group: CommitmentGroup) -> Report:
    expected = Expected(
        MARKET,
        TRAINING,
        os.urandom(32),
        signing_key=party.signing_key,
        group=group,
        rounds=side_by_side(),
    )
    return verify(from_bytes(content), expected)


def _processor_seconds() -> float:
    used = [getrusage(who) for who in (RUSAGE_SELF, RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def show(report: VerificationReport, console: Console) -> None:
    """A row for each party."""
    size = report.size
    title = f"T={size.trainers}, V={size.validators}, p={size.parameters}, {report.key_bits} bits"
    table = Table("party", "rounds", "entries", "megabytes", "processor s", "wall s", title=title)
    for one in report.parties:
        numbers = (one.megabytes, one.processor_seconds, one.wall_seconds)
        table.add_row(one.party, str(one.rounds), str(one.entries), *(f"{number:,.1f}" for number in numbers))
    console.print(table)


def main(
    rounds: Annotated[int, typer.Option(min=1)] = 20,
    key_bits: Annotated[int, typer.Option(min=1024)] = 3072,
    trainers: Annotated[int, typer.Option(min=2)] = 3,
    validators: Annotated[int, typer.Option(min=2)] = 2,
    parameters: Annotated[int, typer.Option(min=2)] = 11,
    out: Annotated[Path | None, typer.Option(help="Write the figures to this file, as JSON.")] = None,
) -> None:
    """Play a training, then verify it from every kind of party's transcript."""
    size = Size(trainers=trainers, validators=validators, parameters=parameters)
    market = played(size, key_bits=key_bits, rounds=rounds)
    found = VerificationReport(
        machine=machine.describe(), size=size, key_bits=key_bits, parties=measured(market)
    )
    if out is not None:
        out.write_text(found.model_dump_json(indent=2))
    show(found, Console())


if __name__ == "__main__":
    typer.run(main)
