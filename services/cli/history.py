"""`deltaml history`: trainings and their rounds with times, failures and retries, from a daemon's store."""

import re
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from services.cli.output import Json, print_json, print_line, print_table
from services.cli.show import find_instance, shown_time

if TYPE_CHECKING:
    from services.records.training_history import Fact, RoundHistory, TrainingHistory
    from services.store import InstanceRow

_SPAN = re.compile(r"([0-9]{1,5})([hd])")
_RIGHT = ("training", "rounds", "seconds", "failures", "retries", "round", "attempts")


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
    """Show what happened: trainings, rounds, how long they took, what failed and what was tried again."""
    from services.cli.store_option import opened  # noqa: PLC0415
    from services.records.training_history import history_of  # noqa: PLC0415

    earliest = 0.0 if since is None else _moment(since)
    with closing(opened(None, config, existing=True)) as store:
        chosen = store.instances() if training is None else [find_instance(store, training)]
        found = [history_of(one, store.facts(one.key)) for one in chosen if one.updated_at >= earliest]
    if failures:
        found = [one for one in found if _has_failed(one)]
    if json:
        print_json([_document(one) for one in found])
    elif training is not None and found:
        _show_rounds(found[0])
    else:
        _show_trainings(found)
    if failures and not json:
        _show_failures([(one.instance, fact) for one in found for fact in one.failures])


def _has_failed(one: "TrainingHistory") -> bool:
    return bool(one.failures) or one.instance.shown.startswith("FAILED")


def _moment(text: str) -> float:
    from services.common.errors import ConfigurationError  # noqa: PLC0415

    span = _SPAN.fullmatch(text)
    if span is not None:
        unit = timedelta(hours=1) if span[2] == "h" else timedelta(days=1)
        return time.time() - int(span[1]) * unit.total_seconds()
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ConfigurationError(
            f"--since {text!r} is no time: give a date such as 2026-11-17, or 7d, or 12h"
        ) from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _show_trainings(found: "list[TrainingHistory]") -> None:
    rows = [
        (
            _number(one.instance),
            one.instance.shown,
            shown_time(one.began_at),
            _seconds(None if one.ended_at is None else one.ended_at - one.began_at),
            str(len([made for made in one.rounds if made.finished_at is not None])),
            str(len(one.failures)),
            str(len(one.retries)),
        )
        for one in found
    ]
    columns = ("training", "state", "began (UTC)", "seconds", "rounds", "failures", "retries")
    print_table(columns, rows, right=_RIGHT)


def _show_rounds(one: "TrainingHistory") -> None:
    print_line(f"training {_number(one.instance)} ({one.instance.key}): {one.instance.shown}")
    rows = [
        (
            str(made.number),
            "" if made.finished_at is None else shown_time(made.finished_at),
            _seconds(made.seconds),
            str(made.attempts),
            " ".join(made.dropped),
            " ".join(made.violations),
        )
        for made in one.rounds
    ]
    columns = ("round", "finished (UTC)", "seconds", "attempts", "dropped", "violations")
    print_table(columns, rows, right=_RIGHT)
    if one.retries:
        late = [(shown_time(at), _data(data)) for _, data, at in one.retries]
        print_table(("at (UTC)", "took place late"), late)


def _show_failures(found: "list[tuple[InstanceRow, Fact]]") -> None:
    rows = [(_number(one), shown_time(fact.at), fact.name, _data(fact.data)) for one, fact in found]
    print_table(("training", "at (UTC)", "failure", "data"), rows, right=_RIGHT)


def _document(one: "TrainingHistory") -> dict[str, Any]:
    return {
        "training": one.instance.training,
        "key": one.instance.key,
        "state": one.instance.shown,
        "began_at": shown_time(one.began_at),
        "ended_at": None if one.ended_at is None else shown_time(one.ended_at),
        "rounds": [_round(made) for made in one.rounds],
        "failures": [_noted(fact) for fact in one.failures],
        "retries": [_noted(fact) for fact in one.retries],
    }


def _round(made: "RoundHistory") -> dict[str, Any]:
    return {
        "round": made.number,
        "finished_at": None if made.finished_at is None else shown_time(made.finished_at),
        "seconds": None if made.seconds is None else round(made.seconds, 3),
        "attempts": made.attempts,
        "dropped": list(made.dropped),
        "violations": list(made.violations),
    }


def _noted(fact: "Fact") -> dict[str, Any]:
    return {"name": fact.name, "data": dict(fact.data), "at": shown_time(fact.at)}


def _number(one: "InstanceRow") -> str:
    return "" if one.training is None else str(one.training)


def _seconds(value: float | None) -> str:
    return "" if value is None else f"{value:.1f}"


def _data(data: Any) -> str:
    return ", ".join(f"{key}={value}" for key, value in data.items())
