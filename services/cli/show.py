"""`deltaml show`: what a daemon's store says about its trainings, also while the daemon runs."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from protocol.asset import NO_TOKENS, Assets
from protocol.links import FITTED
from protocol.records import FIXED_POINT, Market
from protocol.roles.buyer.state import BuyerState
from protocol.terms import NATIVE
from services.cli.account_text import AccountText
from services.cli.amounts import Wei, money
from services.cli.checks_lines import checks_lines
from services.cli.earnings import accounts_in, told
from services.cli.event_lines import fact_text
from services.cli.follow import follow
from services.cli.options import Json
from services.cli.output import print_json
from services.cli.standard_streams import visible
from services.cli.store_option import ConfigOption, StoreOption, existing_store
from services.cli.tables import print_moments, print_table
from services.common.errors import ConfigurationError, DataSetError
from services.common.files import require_new
from services.common.times import format_time
from services.config.daemons import AggregatorConfig, DataOwnerConfig, Participant, load
from services.console.presentation.card_file import write_card
from services.console.presentation.convergence import convergence_sentence
from services.console.presentation.folds import folds_sentence
from services.console.presentation.penalties import penalty_sentence
from services.data.model_file import write_model
from services.data.own_scores import LEAST_ROWS, own_scores
from services.records.buyer_training import buyer_convergence, buyer_folds, buyer_penalties, buyer_state
from services.records.chain_facts import token_of
from services.records.earnings import Account, paid_by_training
from services.records.model_card import ModelCard, model_card
from services.records.round_checks import checks_of
from services.records.stored_trainings import bought_model, find_instance, training_number
from services.store import InstanceRow, Store

_NOTHING_YET = (
    "no training yet: one appears when a buyer orders it, or an owner or aggregator is asked to take part"
)
_ROUND = "round_recorded"
_ROUND_COLUMNS = ("round", "error before", "error after")


@dataclass(frozen=True, slots=True)
class _Files:
    """What is written of a bought model, and the rows that it is scored on for its card."""

    model: Path | None
    card: Path | None
    rows: Path | None
    force: bool

    def require(self, training: str | None) -> None:
        """Raise ConfigurationError for files of no training, and for rows of no card."""
        for option, path in (("--model-out", self.model), ("--card", self.card)):
            if path is not None and training is None:
                raise ConfigurationError(f"{option} needs a training: name the one whose model it is about")
        if self.rows is not None and self.card is None:
            raise ConfigurationError("--rows scores the model for its card: say with --card where that goes")

    def write(self, store: Store, instance: InstanceRow, config: Path | None) -> None:
        """Write those that are asked for, and tell which; raises DataSetError for the rows."""
        if self.model is not None:
            model = bought_model(store, instance)
            require_new(self.model, force=self.force)
            write_model(self.model, model, replace=self.force)
        if self.card is not None:
            write_card(self.card, self._card(store, instance, config), force=self.force)
        for path in (self.model, self.card):
            if path is not None:
                typer.echo(visible(f"wrote {path}"), err=True)

    def _card(self, store: Store, instance: InstanceRow, config: Path | None) -> ModelCard:
        """With the scores on the rows, else those that the console kept."""
        made = model_card(store, instance, _market(config), named_parties(config), known_assets(config))
        if self.rows is None:
            return made
        scores = own_scores(bought_model(store, instance), self.rows, time.time())
        if (published := scores.published()) is None:
            raise DataSetError(
                f"{self.rows} has {scores.rows} of the {LEAST_ROWS} rows that scores on a card, which is "
                "public, need; score fewer with: deltaml predict"
            )
        return made.model_copy(update={"own_scores": published})


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
    rows: Annotated[
        Path | None,
        typer.Option(
            help="Score the model on this file of your own rows, for the card; it needs the target."
        ),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Replace the files of --model-out and --card if they exist.")
    ] = False,
    follow_it: Annotated[
        bool, typer.Option("--follow", help="Show the training live until it ends.")
    ] = False,
    wei: Wei = False,
    json: Json = False,
) -> None:
    """Show a daemon's trainings, or what it noted about one."""
    files = _Files(model_out, card, rows, force)
    files.require(training)
    if follow_it and (training is None or json):
        raise ConfigurationError("--follow needs a training to show to people: name one, leave out --json")
    with existing_store(store, config) as opened:
        if training is None:
            _show_all(opened.instances(), _pay(opened, config), config, wei=wei, json=json)
            return
        instance = find_instance(opened, training)
        if follow_it:
            names, assets = named_parties(config), known_assets(config)
            follow(opened, instance.key, None, names, wei=wei, assets=assets)
            instance = find_instance(opened, instance.key)
        files.write(opened, instance, config)
        if not follow_it:
            _show_one(opened, instance, config, wei=wei, json=json)


def trainings(
    store: StoreOption = None, config: ConfigOption = None, wei: Wei = False, json: Json = False
) -> None:
    """List a daemon's trainings and their states."""
    show(store=store, config=config, wei=wei, json=json)


def training_title(instance: InstanceRow) -> str:
    """A training in one line."""
    return f"training {training_number(instance)} ({instance.key}): {instance.display_status}"


def fact_document(name: str, data: Mapping[str, Any], at: float) -> dict[str, Any]:
    """A fact for programs."""
    return {"name": name, "data": data, "at": format_time(at)}


def _show_all(
    instances: Sequence[InstanceRow],
    accounts: tuple[Account, ...] | None,
    config: Path | None,
    *,
    wei: bool,
    json: bool,
) -> None:
    paid = None if accounts is None else paid_by_training(accounts)
    if json:
        print_json([_document(instance, paid) for instance in instances])
        return
    columns = ("training", "state", "changed") + (("earned",) if accounts else ())
    assets = known_assets(config)
    rows = []
    for instance in instances:
        own = (paid or {}).get(instance.training or 0)
        earned = money(0, wei=wei) if own is None else AccountText(own, wei, assets).money(own.earned)
        row = (instance.training or instance.key, instance.display_status, format_time(instance.updated_at))
        rows.append((*row, earned)[: len(columns)])
    print_table(columns, rows, right=("earned",), empty=_NOTHING_YET)
    if accounts is not None and config is not None:
        for account in told(accounts):
            for line in AccountText(account, wei, assets).summary(config):
                typer.echo(line)


def _show_one(store: Store, instance: InstanceRow, config: Path | None, *, wei: bool, json: bool) -> None:
    facts, accounts = store.facts(instance.key), _pay(store, config)
    paid = None if accounts is None else paid_by_training(accounts)
    convergence, path = buyer_convergence(store, instance), buyer_penalties(store, instance)
    convergence, folds = buyer_convergence(store, instance), buyer_folds(store, instance)
    rounds = [_round(data) for name, data, _ in facts if name == _ROUND]
    if json:
        noted = [fact_document(*fact) for fact in facts]
        state = None if convergence is None else convergence.model_dump(mode="json")
        figures = {"rounds": rounds, "convergence": state, "penalties": [one.model_dump() for one in path]}
        told = {"folds": None if folds is None else folds.model_dump(mode="json")}
        print_json({**_document(instance, paid), **figures, **told, "facts": noted})
        return
    typer.echo(training_title(instance))
    _show_rounds(instance, rounds)
    if convergence is not None and (text := convergence_sentence(convergence)):
        typer.echo(text)
    if text := penalty_sentence(path):
        typer.echo(text)
    if folds is not None:
        typer.echo(folds_sentence(folds))
    names, assets = named_parties(config), known_assets(config)
    for line in checks_lines(checks_of(facts), names):
        typer.echo(visible(line))
    if paid is not None:
        typer.echo(_pay_text(instance, paid, assets, wei=wei))
    asset = assets.of(token_of(store, instance.training))
    told_facts = (fact for fact in facts if fact[0] != _ROUND)
    print_moments((at, name, fact_text(data, names, wei=wei, asset=asset)) for name, data, at in told_facts)


def _pay(store: Store, config: Path | None) -> tuple[Account, ...] | None:
    """The accounts of a party that is paid; None for others, and for a store whose party is not known."""
    settings = None if config is None else load(config)
    if not isinstance(settings, DataOwnerConfig | AggregatorConfig):
        return None
    try:
        return accounts_in(store, settings)
    except ConfigurationError as error:  # who may read the store need not be allowed to read the keys
        typer.echo(visible(f"what was earned is not shown: {error}"), err=True)
        return None


def _pay_text(instance: InstanceRow, paid: Mapping[int, Account], assets: Assets, *, wei: bool) -> str:
    """What one training has paid, or when it will."""
    own = paid.get(instance.training or 0)
    if own is not None and own.earned:
        text = AccountText(own, wei, assets)
        return f"earned {text.money(own.earned)}: {text.shares}"
    if instance.finished:
        return "earned nothing"
    return "nothing is earned yet: pay is credited when the training is settled"


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
        print_table(_ROUND_COLUMNS, rows, title=_errors_title(state), right=_ROUND_COLUMNS)


def _errors_title(state: BuyerState | None) -> str:
    if state is None:
        return "errors in the scale of the request, as on chain"
    if state.request.model.kind in FITTED:
        return "mean deviances"
    return "mean squared errors in the target's units, squared"


def _round(data: dict[str, Any]) -> dict[str, Any]:
    """A round's figures; a data owner notes the round alone."""
    errors = {name: data.get(name) for name in ("mse_before", "mse_after")}
    return {
        "round": data.get("round"),
        **{name: None if value is None else int(value) / FIXED_POINT for name, value in errors.items()},
    }


def _market(config: Path | None) -> Market | None:
    """The market of a configuration: a store by its file does not say which it is of."""
    return None if config is None else load(config).chain.market


def named_parties(config: Path | None) -> Mapping[str, str]:
    """What a configuration calls other parties, by address."""
    settings = None if config is None else load(config)
    return settings.names if isinstance(settings, Participant) else {}


def known_assets(config: Path | None) -> Assets:
    """What amounts are written in by a configuration: without one, ether and smallest units."""
    settings = None if config is None else load(config)
    return settings.assets if isinstance(settings, Participant) else NO_TOKENS


def _document(instance: InstanceRow, paid: Mapping[int, Account] | None) -> dict[str, Any]:
    """For programs; `paid` is the own account by training, None where it is not known."""
    document = {
        "training": instance.training,
        "key": instance.key,
        "state": instance.display_status,
        "finished": instance.finished,
        "changed_at": format_time(instance.updated_at),
    }
    if paid is None:
        return document
    own = paid.get(instance.training or 0)
    shares = {} if own is None else own.shares
    earned = {share: str(amount) for share, amount in shares.items()}
    if own is None or own.token == NATIVE:
        return {**document, "earned_wei": earned}
    return {**document, "token": own.token, "earned_units": earned}
