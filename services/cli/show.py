"""`deltaml show`: what a daemon's store says about its trainings, also while the daemon runs."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from protocol.records import FIXED_POINT, Market
from services.cli.event_lines import fact_text
from services.cli.follow import follow
from services.cli.options import Json
from services.cli.output import format_time, named, print_json, print_records, print_table
from services.cli.store_option import ConfigOption, StoreOption, existing_store
from services.common.errors import ConfigurationError
from services.common.files import require_new
from services.config.daemons import Participant, load
from services.console.presentation.card_file import write_card
from services.console.presentation.convergence import convergence_sentence
from services.data.model_file import write_model
from services.records.buyer_training import buyer_convergence, buyer_state
from services.records.convergence import Convergence
from services.records.model_card import model_card
from services.records.stored_trainings import bought_model, find_instance, training_number
from services.store import InstanceRow, Store

_ROUND = "round_recorded"
_ROUND_COLUMNS = ("round", "error before", "error after")


def show(
    training: Annotated[
        str | None,
        typer.Argument(
            metavar="TRAINING", help="A training's number, or an instance's key; all when left out."
        ),
    ] = None,
    store: StoreOption = None,
    config: ConfigOption = None,
    model_out: Annotated[
        Path | None, typer.Option(help="Write the bought model to this new file, as JSON.")
    ] = None,
    card: Annotated[
        Path | None,
        typer.Option(help="Write the bought model's card to this new file: .html, .md or .json."),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Replace the files of --model-out and --card if they exist.")
    ] = False,
    follow_it: Annotated[
        bool, typer.Option("--follow", help="Show the training live until it ends.")
    ] = False,
    json: Json = False,
) -> None:
    """Show a daemon's trainings, or what it noted about one."""
    for option, path in (("--model-out", model_out), ("--card", card)):
        if path is not None and training is None:
            raise ConfigurationError(f"{option} needs a training: name the one whose model it is about")
    if follow_it and (training is None or json):
        raise ConfigurationError("--follow needs a training to show to people: name one, leave out --json")
    with existing_store(store, config) as opened:
        if training is None:
            _show_all(opened.instances(), json=json)
            return
        instance = find_instance(opened, training)
        if follow_it:
            follow(opened, instance.key, None)
            instance = find_instance(opened, instance.key)
        if model_out is not None:
            _write_model(opened, instance, model_out, force=force)
        if card is not None:
            write_card(card, model_card(opened, instance, _market(config)), force=force)
        if not follow_it:
            facts = opened.facts(instance.key)
            _show_one(instance, facts, buyer_convergence(opened, instance), _names(config), json=json)


def trainings(store: StoreOption = None, config: ConfigOption = None, json: Json = False) -> None:
    """List a daemon's trainings and their states."""
    show(store=store, config=config, json=json)


def training_title(instance: InstanceRow) -> str:
    """A training in one line."""
    return f"training {training_number(instance)} ({instance.key}): {instance.display_status}"


def fact_document(name: str, data: Mapping[str, Any], at: float) -> dict[str, Any]:
    """A fact for programs."""
    return {"name": name, "data": data, "at": format_time(at)}


def _show_all(instances: Sequence[InstanceRow], *, json: bool) -> None:
    columns = {"training": "training", "key": "key", "state": "state", "changed_at": "changed (UTC)"}
    print_records([_document(instance) for instance in instances], columns, json=json, right=("training",))


def _show_one(
    instance: InstanceRow,
    facts: Sequence[tuple[str, dict[str, Any], float]],
    convergence: Convergence | None,
    names: Mapping[str, str],
    *,
    json: bool,
) -> None:
    rounds = [_round(data) for name, data, _ in facts if name == _ROUND]
    if json:
        noted = [fact_document(*fact) for fact in facts]
        state = None if convergence is None else convergence.model_dump(mode="json")
        print_json({**_document(instance), "rounds": rounds, "convergence": state, "facts": noted})
        return
    typer.echo(training_title(instance))
    _show_rounds(instance, rounds)
    if convergence is not None and (text := convergence_sentence(convergence)):
        typer.echo(text)
    others = [
        (format_time(at), name, fact_text(_with_names(data, names)))
        for name, data, at in facts
        if name != _ROUND
    ]
    if others:
        print_table(("at (UTC)", "fact", "data"), others)


def _show_rounds(instance: InstanceRow, rounds: Sequence[Mapping[str, Any]]) -> None:
    """The errors in the target's own units where the request is known, as on the chain elsewhere."""
    state = buyer_state(instance)
    unit = 1.0 if state is None else float(state.request.error_unit)
    rows = [
        [str(made["round"]), *(f"{made[name] * unit:.10g}" for name in ("mse_before", "mse_after"))]
        for made in rounds
        if made["mse_before"] is not None
    ]
    if rows:
        scale = "in the target's units, squared" if state else "in the scale of the request, as on chain"
        print_table(_ROUND_COLUMNS, rows, title=f"mean squared errors {scale}", right=_ROUND_COLUMNS)


def _with_names(data: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """A fact's data with the names of its parties before their addresses."""
    return {name: named(value, names) if isinstance(value, str) else value for name, value in data.items()}


def _round(data: dict[str, Any]) -> dict[str, Any]:
    """A round's figures; a data owner notes the round alone."""
    errors = {name: data.get(name) for name in ("mse_before", "mse_after")}
    return {
        "round": data.get("round"),
        **{name: None if value is None else int(value) / FIXED_POINT for name, value in errors.items()},
    }


def _write_model(store: Store, instance: InstanceRow, path: Path, *, force: bool) -> None:
    model = bought_model(store, instance)
    require_new(path, force=force)
    write_model(path, model, replace=force)


def _market(config: Path | None) -> Market | None:
    """The market of a configuration: a store by its file does not say which it is of."""
    if config is None:
        return None
    chain = load(config).chain
    return Market(chain_id=chain.chain_id, contract=chain.contract)


def _names(config: Path | None) -> Mapping[str, str]:
    """What a configuration calls other parties."""
    settings = None if config is None else load(config)
    return settings.names if isinstance(settings, Participant) else {}


def _document(instance: InstanceRow) -> dict[str, Any]:
    return {
        "training": instance.training,
        "key": instance.key,
        "state": instance.display_status,
        "finished": instance.finished,
        "changed_at": format_time(instance.updated_at),
    }
