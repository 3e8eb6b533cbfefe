"""`deltaml history`: trainings and their rounds with times, failures and retries, from a daemon's store."""

import re
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer

from services.cli.event_lines import fact_text
from services.cli.options import Json
from services.cli.output import format_time, print_json, print_table
from services.cli.show import fact_document, training_title
from services.cli.store_option import existing_store
from services.common.errors import ConfigurationError
from services.records.stored_trainings import find_instance
from services.records.training_history import RoundHistory, TrainingHistory, history_of

_SPAN = re.compile(r"([0-9]{1,5})([hd])")
_UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1)}
_NUMBERS = ("training", "rounds", "seconds", "failures", "retries", "round", "attempts")


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
    if training is not None and histories:
        _show_rounds(histories[0])
    else:
        _show_trainings(histories)
    if failures:
        _show_failures(histories)


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
            len(history.failures),
            len(history.retries),
        )
        for history in histories
    ]
    columns = ("training", "state", "began (UTC)", "seconds", "rounds", "failures", "retries")
    print_table(columns, rows, right=_NUMBERS)


def _show_rounds(history: TrainingHistory) -> None:
    typer.echo(training_title(history.instance))
    columns = ("round", "finished (UTC)", "seconds", "attempts", "dropped", "violations")
    print_table(columns, [_round(made).values() for made in history.rounds], right=_NUMBERS)
    if history.retries:
        late = [(format_time(fact.at), fact_text(fact.data)) for fact in history.retries]
        print_table(("at (UTC)", "happened late"), late)


def _show_failures(histories: Sequence[TrainingHistory]) -> None:
    rows = [
        (history.instance.training, format_time(fact.at), fact.name, fact_text(fact.data))
        for history in histories
        for fact in history.failures
    ]
    print_table(("training", "at (UTC)", "failure", "data"), rows, right=_NUMBERS)


def _document(history: TrainingHistory) -> dict[str, Any]:
    return {
        "training": history.instance.training,
        "key": history.instance.key,
        "state": history.instance.display_status,
        "began_at": format_time(history.began_at),
        "ended_at": _time(history.ended_at),
        "rounds": [_round(made) for made in history.rounds],
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
