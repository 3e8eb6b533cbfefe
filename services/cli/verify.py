"""`deltaml verify`: a training rebuilt from one party's transcript, offline."""

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from protocol.errors import MisuseError, ProtocolViolation
from protocol.verification.expected import Expected
from protocol.verification.report import Blame, Check, Report, RoundReport
from protocol.verification.transcript import Header, Transcript, from_bytes
from protocol.verification.verify import verify as verified
from protocol.verification.verify import verify_entries
from services.cli.options import Json
from services.cli.orders import TrainingNumber
from services.cli.output import print_json
from services.cli.round_pool import side_by_side
from services.cli.standard_streams import visible
from services.cli.transcript import own_key, own_transcript
from services.common.errors import ConfigurationError
from services.common.files import read_bounded
from services.config.daemons import load
from services.native.loading import use_arithmetic

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
            help="A daemon's file: the transcript must be of its market, and where it is of this daemon its "
            "boxes are opened; without --transcript, its store is verified."
        ),
    ] = None,
    against: Annotated[
        list[Path] | None,
        typer.Option(help="Another party's transcript, which this one must agree with; may be given again."),
    ] = None,
    *,
    jobs: Annotated[int, typer.Option(min=0, help="Rounds checked at a time; 0: one for each core.")] = 0,
    json: Json = False,
) -> None:
    """Rebuild a training from a transcript: proofs, openings, records, contributions, pay, blame.

    Exit status 0 where all of it holds, 3 where anything differs, with the first message that does, 2 for
    what is no transcript. What the chain holds is taken as the transcript has it: compare a record with the
    node's before you believe a stranger.
    """
    expected = Expected(
        None,
        training,
        os.urandom(32),
        told=_nothing if json else _tell,
        rounds=side_by_side(jobs or None),
        against=tuple(_read(path) for path in against or ()),
    )
    header, report = _verified(expected, transcript, config)
    if json:
        print_json(report.model_dump(mode="json"))
    else:
        _print(header, report)
    if report.failure is not None:
        raise typer.Exit(_DIFFERS)


def _verified(expected: Expected, path: Path | None, config: Path | None) -> tuple[Header, Report]:
    """Of a file, or of a daemon's own store; in the market of the daemon, or else of the file itself."""
    use_arithmetic()
    if path is None:
        if config is None:
            raise ConfigurationError("give --transcript, or the --config of the daemon whose store to verify")
        own = own_transcript(config, expected.training)
        opening = replace(expected, market=own.header.market, signing_key=own.signing_key)
        return own.header, verify_entries(own.header, own.entries, opening)
    read = _read(path)
    if config is not None:
        market, key = load(config).chain.market, own_key(config, read.header.party)
        expected = replace(expected, market=market, signing_key=key)
    return read.header, verified(read, expected)


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


def _blamed(one: Blame) -> str:
    where = f"round {one.round}, attempt {one.attempt}" if one.attempt else f"after round {one.round}"
    who = "nobody named" if one.accused is None else one.accused
    return f"{one.finding}: {where}: {one.code}, {who}: {one.why}"


def _print(header: Header, report: Report) -> None:
    who = f"training {report.training} of {header.contract} on chain {header.chain_id}, as the {report.role}"
    if report.failure is None:
        typer.echo(f"training: {_text(report.checks)}")
        for one in report.blames:
            typer.echo(visible(_blamed(one)))
        typer.echo(visible(f"verified: {who} {report.party} has it, from {report.entries} entries"))
        typer.echo(f"not shown: {report.cannot_check}")
        return
    found = report.failure
    place = f"round {found.round}, {found.message}" if found.round else found.message
    typer.echo(visible(f"differs: {who} {report.party} has it: {place}: {found.code}: {found.detail}"))
