"""`deltaml show`: what a daemon's store says about its trainings, also while the daemon runs."""

from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from services.cli.output import Json, print_json, print_line, print_table

if TYPE_CHECKING:
    from services.store import InstanceRow, Store

_ROUND = "round_recorded"


def show(
    training: Annotated[
        str | None, typer.Argument(help="A training's number, or an instance's key; all when left out.")
    ] = None,
    store: Annotated[str | None, typer.Option(help="The daemon's SQLite file or PostgreSQL URL.")] = None,
    config: Annotated[Path | None, typer.Option(help="Use the store of this daemon's file.")] = None,
    model_out: Annotated[Path | None, typer.Option(help="Write the bought model here, as JSON.")] = None,
    json: Json = False,
) -> None:
    """Show a daemon's trainings, or what it noted about one."""
    from services.common.errors import ConfigurationError  # noqa: PLC0415

    if model_out is not None and training is None:
        raise ConfigurationError("--model-out needs the training whose model is meant")
    with closing(_open(store, config)) as opened:
        if training is None:
            _show_all(opened.instances(), json=json)
            return
        instance = find_instance(opened, training)
        if model_out is not None:
            _write_model(opened, instance, model_out)
        _show_one(instance, opened.facts(instance.key), json=json)


def trainings(
    store: Annotated[str | None, typer.Option(help="The daemon's SQLite file or PostgreSQL URL.")] = None,
    config: Annotated[Path | None, typer.Option(help="Use the store of this daemon's file.")] = None,
    json: Json = False,
) -> None:
    """List a daemon's trainings and their states."""
    with closing(_open(store, config)) as opened:
        _show_all(opened.instances(), json=json)


def _show_all(instances: "list[InstanceRow]", *, json: bool) -> None:
    if json:
        print_json([_instance(one) for one in instances])
        return
    rows = [(_number(one), one.key, one.shown, shown_time(one.updated_at)) for one in instances]
    print_table(("training", "key", "state", "changed (UTC)"), rows, right=("training",))


def _show_one(instance: "InstanceRow", facts: list[tuple[str, dict[str, Any], float]], *, json: bool) -> None:
    rounds = [data for name, data, _ in facts if name == _ROUND]
    if json:
        noted = [{"name": name, "data": data, "at": shown_time(at)} for name, data, at in facts]
        print_json({**_instance(instance), "rounds": [_round(data) for data in rounds], "facts": noted})
        return
    print_line(f"training {_number(instance)} ({instance.key}): {instance.shown}")
    if rounds:
        shown = [[_figure(value) for value in _round(data).values()] for data in rounds]
        print_table(("round", "MSE before", "MSE after"), shown, right=("round", "MSE before", "MSE after"))
    others = [
        (shown_time(at), name, ", ".join(f"{key}={value}" for key, value in data.items()))
        for name, data, at in facts
        if name != _ROUND
    ]
    print_table(("at (UTC)", "fact", "data"), others)


def _round(data: dict[str, Any]) -> dict[str, Any]:
    """A round's figures; a data owner notes the round alone."""
    from protocol.records import FIXED_POINT  # noqa: PLC0415

    errors = {name: data.get(name) for name in ("mse_before", "mse_after")}
    return {
        "round": data.get("round"),
        **{name: None if value is None else int(value) / FIXED_POINT for name, value in errors.items()},
    }


def _write_model(store: "Store", instance: "InstanceRow", path: Path) -> None:
    from protocol.bought_model import BoughtModel  # noqa: PLC0415
    from protocol.codec import unpack  # noqa: PLC0415
    from services.common.errors import ConfigurationError  # noqa: PLC0415
    from services.data.model_file import write_model  # noqa: PLC0415

    content = store.result(instance.key, "model")
    if content is None:
        raise ConfigurationError(
            f"this store has no model of training {_number(instance)}: it is the buyer's, once the training "
            "has finished"
        )
    write_model(path, unpack(BoughtModel, content))


def find_instance(store: "Store", training: str) -> "InstanceRow":
    """A training by its number or its instance's key; raises ConfigurationError for one not in the store."""
    from services.common.errors import ConfigurationError  # noqa: PLC0415

    number = int(training) if training.isascii() and training.isdigit() and len(training) < 19 else None
    key = None if number is None else store.key_of(number)
    instance = store.instance(key or training)
    if instance is None:
        raise ConfigurationError(f"this store knows no training {training!r}; `deltaml show` lists them")
    return instance


def _open(store: str | None, config: Path | None) -> "Store":
    from services.cli.store_option import opened  # noqa: PLC0415

    return opened(store, config, existing=True)


def _instance(one: "InstanceRow") -> dict[str, Any]:
    return {
        "training": one.training,
        "key": one.key,
        "state": one.shown,
        "finished": one.finished,
        "changed_at": shown_time(one.updated_at),
    }


def _number(one: "InstanceRow") -> str:
    return "" if one.training is None else str(one.training)


def _figure(value: float | None) -> str:
    return "" if value is None else f"{value:.10g}"


def shown_time(seconds: float) -> str:
    """A moment (seconds since 1970) as commands print it: UTC, to the second."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
