"""`deltaml request`: documents that ask for a training."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from protocol.asset import MARKET_ASSET
from protocol.errors import MisuseError
from protocol.inference_terms import FEWEST_OWNERS
from protocol.request import Request
from protocol.request_sections import DEFAULT_KIND, Owners
from protocol.roles.buyer.ordering import check_order
from services.cli.amounts import amount_option
from services.cli.options import (
    INFERENCE_HELP,
    KIND_HELP,
    LEVEL_HELP,
    METHOD_HELP,
    RIDGE,
    ROWS_FILE,
    TARGETS_HELP,
    Json,
    known_kind,
    method_of,
)
from services.cli.output import print_json
from services.cli.standard_streams import document_stream, visible
from services.common.addresses import is_address, plain_address
from services.common.documents import load_request
from services.common.files import require_new, require_other_file, write_private
from services.config.daemons import load
from services.data.beyond_budget import beyond_budget
from services.data.few_rows import few_rows
from services.data.inference_answers import inference_answers
from services.data.request_suggestion import NOBODY, Choices, Suggestion
from services.data.request_suggestion import suggest as suggested
from services.data.request_text import as_text
from services.data.ridge_options import ridges_of
from services.data.row_files import index_columns, index_note, listed
from services.records.offer_answers import chosen_aggregators

_AGGREGATOR = "The aggregator's address, or its name in --config; without both, one to be replaced."
_CONFIG = "The file of your buyer's daemon, which names the aggregators that you work with."
_COLUMNS = "Predict from these columns only: a,b,c; by default from all but those that count or name rows."
_CURVES = typer.Option("--curves", help="Ask for a curve (a natural spline) of each number and date.")
_EVENT = typer.Option(help="Of times until an event: the column that is 1 where it came, 0 where not yet.")
_OUT = typer.Option(help="Write it to this new file; by default to standard output.")
_LEAST_OWNERS = f"Owners that are needed; default: 4, with --inference {FEWEST_OWNERS}."
_WITHOUT = typer.Option(help="Leave these columns out: a,b,c.", show_default=False)
_DEPOSIT = amount_option("The deposit", default=MARKET_ASSET.whole)

request = typer.Typer(
    name="request", help="Requests: what a buyer asks to have trained.", no_args_is_help=True
)


@request.command()
def check(
    document: Annotated[
        Path, typer.Argument(metavar="REQUEST", help="The request, a YAML file such as REQUEST.yaml.")
    ],
    *,
    json: Json = False,
) -> None:
    """Tell whether a request can be ordered, and what to think over before; nothing is sent."""
    wanted = load_request(document)
    check_order(wanted)
    digest = f"0x{wanted.hash().hex()}"
    if json:
        warnings = _warnings(wanted)
        weights = {"weights": list(wanted.weight_names), "curves": len(wanted.curve_names)}
        print_json({"request": wanted.name, "hash": digest, "warnings": warnings, **weights})
    else:
        tell_warnings(wanted)
        if wanted.basis:
            count = f"{len(wanted.weight_names)} weights, {len(wanted.curve_names)} of them of curves"
            typer.echo(visible(f"{count}; each owner reads its rows again to compute these"))
        typer.echo(visible(f"{wanted.name} can be ordered; hash of the document {digest}"))


def tell_warnings(wanted: Request) -> None:
    """On standard error: owners' rows may be too few, or budgets too small; whom standard errors wait for."""
    for warning in _warnings(wanted):
        typer.echo(f"warning: {warning}", err=True)


def _warnings(wanted: Request) -> list[str]:
    checks = few_rows(wanted), beyond_budget(wanted), inference_answers(wanted)
    return [str(found) for found in checks if found is not None]


@request.command()
def suggest(
    sample: Annotated[
        Path, typer.Argument(metavar="FILE", help=f"{ROWS_FILE}, of rows like those you want to buy.")
    ],
    target: Annotated[str | None, typer.Option(help="The column to predict.")] = None,
    targets: Annotated[str | None, typer.Option(help=TARGETS_HELP)] = None,
    level: Annotated[str | None, typer.Option(help=LEVEL_HELP)] = None,
    inference: Annotated[bool, typer.Option("--inference", help=INFERENCE_HELP)] = False,
    kind: Annotated[str, typer.Option(help=KIND_HELP)] = DEFAULT_KIND,
    name: Annotated[str | None, typer.Option(help="The training's name; by default the file's.")] = None,
    aggregator: Annotated[str | None, typer.Option(help=_AGGREGATOR)] = None,
    config: Annotated[Path | None, typer.Option(help=_CONFIG)] = None,
    deposit: Annotated[int, _DEPOSIT] = MARKET_ASSET.whole,
    columns: Annotated[str | None, typer.Option(help=_COLUMNS)] = None,
    without: Annotated[str | None, _WITHOUT] = None,
    curves: Annotated[bool, _CURVES] = False,
    method: Annotated[str, typer.Option(help=METHOD_HELP)] = "averaging",
    event: Annotated[str | None, _EVENT] = None,
    ridge: Annotated[str | None, RIDGE] = None,
    least_owners: Annotated[int | None, typer.Option(help=_LEAST_OWNERS, min=4, max=256)] = None,
    most_owners: Annotated[int, typer.Option(help="Owners that are taken.", min=4, max=256)] = 16,
    out: Annotated[Path | None, _OUT] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the file of --out if it exists.")] = False,
    json: Json = False,
) -> None:
    """Write a request for data like a sample of your own: ranges, start and schedule, each with its reason.

    The sample is read here and goes nowhere; its ranges and its mean, rounded, stand in the request.
    """
    _require_writable(out, sample, force=force)
    choices = Choices(
        target,
        name or sample.stem,
        _aggregator(aggregator, config),
        deposit,
        least_owners or (FEWEST_OWNERS if inference else Owners().minimum),
        most_owners,
        listed(columns),
        listed(without) or (),
        known_kind(kind),
        curves,
        event,
        listed(targets),
        level,
        inference,
        ridges_of(ridge),
        method_of(method) or "averaging",
    )
    found = suggested(sample, choices)
    _deliver(found, sample, out, config, force=force, json=json)


def _deliver(
    found: Suggestion, sample: Path, out: Path | None, config: Path | None, *, force: bool, json: bool
) -> None:
    _write(found, as_text(found, sample.name), out, force=force, json=json)
    _tell(found, index_columns(sample), out, config)


def _require_writable(out: Path | None, sample: Path, *, force: bool) -> None:
    if out is not None:
        require_other_file(out, sample)
        require_new(out, force=force)


def _write(found: Suggestion, text: str, out: Path | None, *, force: bool, json: bool) -> None:
    """To the file, and what is printed in any case."""
    if out is not None:
        write_private(out, text.encode(), replace=force)
    if json:
        print_json({"request": found.request.model_dump(mode="json"), "left_out": found.left_out})
    elif out is None:
        document_stream().write(text)


def _aggregator(chosen: str | None, config: Path | None) -> str:
    """Its address; raises MisuseError for none, and where a configuration leaves open which."""
    if config is not None:
        settings = load(config, "model-buyer")
        named = () if chosen is None else (chosen,)
        found = chosen_aggregators(settings, named, settings.aggregators, config)
        if len(found) > 1:
            raise MisuseError(f"{config} has {len(found)} aggregators; choose one with --aggregator")
        return found[0]
    if chosen is not None and not is_address(chosen):
        raise MisuseError(
            f"--aggregator {chosen!r} is not an address: 0x and 40 hexadecimal digits, or a name in --config"
        )
    return NOBODY if chosen is None else plain_address(chosen)


def _tell(found: Suggestion, index: Sequence[str], out: Path | None, config: Path | None) -> None:
    """What the request does not have of the sample, and what to do with it."""
    for reason in [*index_note(index), *map("left out: {}".format, found.left_out.values())]:
        typer.echo(visible(reason), err=True)
    tell_warnings(found.request)
    if out is not None:
        nobody = ", put your aggregator's address there" if found.request.aggregator == NOBODY else ""
        order = f"deltaml train {out} --config {config or 'BUYER.yaml'}"
        typer.echo(visible(f"wrote {out}; look through it{nobody}, then: {order}"), err=True)
