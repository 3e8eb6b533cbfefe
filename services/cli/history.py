"""`deltaml history`: trainings and their rounds with times, failures and retries, from a daemon's store."""

import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer

from services.cli.amounts import Wei
from services.cli.checks_lines import checks_lines
from services.cli.event_lines import fact_text
from services.cli.options import Json
from services.cli.output import named, print_json
from services.cli.show import fact_document, known_assets, named_parties, training_title
from services.cli.standard_streams import visible
from services.cli.store_option import existing_store
from services.cli.tables import print_moments, print_table
from services.common.errors import ConfigurationError
from services.common.times import format_time
from services.records.chain_facts import token_of
from services.records.stored_trainings import find_instance
from services.records.training_history import Fact, RoundHistory, TrainingHistory, history_of

_SPAN = re.compile(r"([0-9]{1,5})([hd])")
_UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1)}
_Text = Callable[[TrainingHistory, Fact], str]
_NUMBERS = ("training", "rounds", "seconds", "round", "attempts")


def history(
    config: Annotated[Path, typer.Option(help="Use the store of this daemon's file.")],
    training: Annotated[str | None, typer.Option(help="Only this training, with each of its rounds.")] = None,
    since: Annotated[
        str | None, typer.Option(help="Only what changed since: a date (2026-11-17), or 7d, or 12h.")
    ] = None,
    *,
    failures: Annotated[
        bool, typer.Option("--failures", help="Only trainings in which something failed, and what.")
    ] = False,
    wei: Wei = False,
    json: Json = False,
) -> None:
    """Show what happened: trainings, rounds, their times, what failed and what was tried again."""
    earliest = 0.0 if since is None else _moment(since)
    with existing_store(None, config) as store:
        instances = store.instances() if training is None else [find_instance(store, training)]
        histories = [
            history_of(instance, store.facts(instance.key))
            for instance in instances
            if instance.updated_at >= earliest
        ]
    if failures:
        histories = [
            history
            for history in histories
            if history.failures or history.instance.display_status.startswith("FAILED")
        ]
    if json:
        print_json([_document(history) for history in histories])
        return
    text = _text(config, histories, wei=wei)
    if training is not None and histories:
        _show_rounds(histories[0], named_parties(config), text)
    else:
        _show_trainings(histories)
    if failures:
        _show_failures(histories, text)


def _text(config: Path, histories: Sequence[TrainingHistory], *, wei: bool) -> _Text:
    """How a fact of one of these is told: with the names and in the assets that the configuration knows."""
    names, assets = named_parties(config), known_assets(config)
    with existing_store(None, config) as store:
        tokens = {one.instance.key: token_of(store, one.instance.training) for one in histories}

    def text(history: TrainingHistory, fact: Fact) -> str:
        return fact_text(fact.data, names, wei=wei, asset=assets.of(tokens[history.instance.key]))

    return text


def _moment(text: str) -> float:
    span = _SPAN.fullmatch(text)
    if span is not None:
        return time.time() - int(span[1]) * _UNITS[span[2]].total_seconds()
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ConfigurationError(
            f"--since {text!r} is neither a date nor a span of time: give a date such as 2026-11-17, or 7d, "
            "or 12h"
        ) from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _show_trainings(histories: Sequence[TrainingHistory]) -> None:
    rows = [
        (
            history.instance.training,
            history.instance.display_status,
            format_time(history.began_at),
            None if history.ended_at is None else f"{history.ended_at - history.began_at:.1f}",
            sum(made.finished_at is not None for made in history.rounds),
            _troubles(history),
        )
        for history in histories
    ]
    columns = ("training", "state", "began", "seconds", "rounds", "troubles")
    print_table(columns, rows, right=_NUMBERS, empty="no such training is known to this daemon so far")


def _troubles(history: TrainingHistory) -> str:
    counts = {"failed": len(history.failures), "late": len(history.retries)}
    return ", ".join(f"{count} {what}" for what, count in counts.items() if count)


def _show_rounds(history: TrainingHistory, names: Mapping[str, str], text: _Text) -> None:
    typer.echo(training_title(history.instance))
    columns = ("round", "finished", "seconds", "attempts", "dropped", "violations")
    rounds = [
        {**_round(made), "dropped": [named(owner, names) for owner in made.dropped]}
        for made in history.rounds
    ]
    nothing = "no round has begun: the first one does when owners have joined and their roles are drawn"
    print_table(columns, [made.values() for made in rounds], right=_NUMBERS, empty=nothing)
    for line in checks_lines(history.checks, names):
        typer.echo(visible(line))
    print_moments((fact.at, "happened late:", text(history, fact)) for fact in history.retries)


def _show_failures(histories: Sequence[TrainingHistory], text: _Text) -> None:
    print_moments(
        (
            fact.at,
            f"training {history.instance.training or ''}  {fact.name}",
            text(history, fact),
        )
        for history in histories
        for fact in history.failures
    )


def _document(history: TrainingHistory) -> dict[str, Any]:
    return {
        "training": history.instance.training,
        "key": history.instance.key,
        "state": history.instance.display_status,
        "began_at": format_time(history.began_at),
        "ended_at": _time(history.ended_at),
        "rounds": [_round(made) for made in history.rounds],
        "gave_up": history.checks.gave_up,
        "blamed": [asdict(one) for one in history.checks.blamed],
        "failures": [fact_document(*fact) for fact in history.failures],
        "retries": [fact_document(*fact) for fact in history.retries],
    }


def _round(made: RoundHistory) -> dict[str, Any]:
    return {
        "round": made.number,
        "finished_at": _time(made.finished_at),
        "seconds": None if made.seconds is None else round(made.seconds, 3),
        "attempts": made.attempts,
        "dropped": list(made.dropped),
        "violations": list(made.violations),
    }


def _time(seconds: float | None) -> str | None:
    return None if seconds is None else format_time(seconds)
