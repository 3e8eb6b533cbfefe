"""`deltaml verify`: a training rebuilt from one party's transcript, offline."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from protocol.errors import MisuseError, ProtocolViolation
from protocol.verification.report import Check, Report, RoundReport
from protocol.verification.transcript import Header, Transcript, from_bytes
from protocol.verification.verify import Told, verify_entries
from protocol.verification.verify import verify as verified
from services.cli.options import Json
from services.cli.orders import TrainingNumber
from services.cli.output import print_json
from services.cli.standard_streams import visible
from services.cli.transcript import own_transcript
from services.common.errors import ConfigurationError
from services.common.files import read_bounded
from services.config.daemons import load

_LARGEST = 1 << 32
_DIFFERS = 3


def verify(
    training: TrainingNumber,
    transcript: Annotated[
        Path | None, typer.Option(help="The file that `deltaml transcript` wrote, of any of its parties.")
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option(
            help="A daemon's file: the transcript must be of its market; without one, its store is verified."
        ),
    ] = None,
    *,
    json: Json = False,
) -> None:
    """Rebuild a training from a transcript: proofs, openings, records, contributions, payments.

    Exit status 3 where anything differs, with the first message that does. What the chain holds is taken as
    the transcript has it: compare a record with the node's before you believe a stranger.
    """
    told = _nothing if json else _tell
    header, report = _verified(training, transcript, config, told)
    if json:
        print_json(report.model_dump(mode="json"))
    else:
        _print(header, report)
    if report.failure is not None:
        raise typer.Exit(_DIFFERS)


def _verified(training: int, path: Path | None, config: Path | None, told: Told) -> tuple[Header, Report]:
    if path is not None:
        read = _read(path)
        market = read.header.market if config is None else load(config).chain.market
        return read.header, verified(read, market, os.urandom(32), training=training, told=told)
    if config is None:
        raise ConfigurationError("give --transcript, or the --config of the daemon whose store to verify")
    own = own_transcript(config, training)
    market, seed = own.header.market, os.urandom(32)
    return own.header, verify_entries(own.header, own.entries, market, seed, training=training, told=told)


def _read(path: Path) -> Transcript:
    try:
        return from_bytes(read_bounded(path, _LARGEST))
    except ProtocolViolation as error:
        raise MisuseError(f"{path} is no transcript: {error.detail}") from None


def _nothing(_round: RoundReport) -> None:
    """A program reads the document at the end."""


def _tell(one: RoundReport) -> None:
    where = f"attempt {one.attempt}" if one.attempt else "not measured here"
    typer.echo(f"round {one.round} ({where}): {_text(one.checks)}")


def _text(checks: Sequence[Check]) -> str:
    return ", ".join(one.name if one.count == 1 else f"{one.count} {one.name}" for one in checks)


def _print(header: Header, report: Report) -> None:
    who = f"training {report.training} of {header.contract} on chain {header.chain_id}, as the {report.role}"
    if report.failure is None:
        typer.echo(f"training: {_text(report.checks)}")
        typer.echo(visible(f"verified: {who} {report.party} has it, from {report.entries} entries"))
        typer.echo(f"not shown: {report.cannot_check}")
        return
    found = report.failure
    place = f"round {found.round}, {found.message}" if found.round else found.message
    typer.echo(visible(f"differs: {who} {report.party} has it: {place}: {found.code}: {found.detail}"))
