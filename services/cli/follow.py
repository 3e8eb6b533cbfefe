"""A training live on a terminal, as the demo shows one: from the facts that its daemon keeps."""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import typer

from protocol.asset import NO_TOKENS, Asset, Assets
from services.cli.event_lines import event_line, fact_text
from services.cli.standard_streams import FAILURE, visible
from services.cli.waiting import going_on
from services.console.presentation.convergence import convergence_sentence
from services.console.presentation.folds import folds_sentence
from services.console.presentation.penalties import penalty_sentence
from services.records.buyer_training import buyer_convergence, buyer_folds, buyer_penalties
from services.records.chain_facts import record_key, token_of
from services.store import InstanceRow, Store

_LOOK_SECONDS = 0.3
TOLD = (
    "open_refused",
    "request_refused",
    "dropped",
    "complaint",
    "check_failed",
    "named",
    "attempt_over",
    "implausible",
    "gave_up",
    "stop_requested",
    "finished",
)
"""Facts that no event of the chain tells."""


@dataclass
class Follower:
    """What is new about a training each time that one looks."""

    store: Store
    key: str
    most_rounds: int | None = None
    names: Mapping[str, str] = field(default_factory=dict)
    wei: bool = False
    assets: Assets = NO_TOKENS
    seen: dict[str, int] = field(default_factory=dict)

    def lines(self) -> Iterator[str]:
        """A line for each fact that is new, the chain's after the daemon's own."""
        row = self.store.instance(self.key)
        training = None if row is None else row.training
        asset = self.assets.of(token_of(self.store, training))
        yield from self._new(self.key, asset)
        if training is not None:
            yield from self._new(record_key(training), asset)

    def _new(self, key: str, asset: Asset) -> Iterator[str]:
        facts = self.store.facts(key)
        begin, self.seen[key] = self.seen.get(key, 0), len(facts)
        for name, data, _at in facts[begin:]:
            if name == "joining":
                yield _joining_line(data)
            elif name in TOLD:
                about = f": {fact_text(data, self.names, wei=self.wei, asset=asset)}" if data else ""
                yield f"{name.replace('_', ' ')}{about}"
            elif line := event_line(name, data, self.most_rounds, self.names, wei=self.wei, asset=asset):
                yield line


def _joining_line(data: Mapping[str, Any]) -> str:
    """How many owners are to be expected, and why not all."""
    waiting, declined = (_by_code(data.get(what, {})) for what in ("waiting", "declined"))
    arrived = f"{data['asked']} owners asked: {data['joined']} joined"
    return f"{arrived}, {waiting} wait for a person, {declined} declined"


def _by_code(owners: Mapping[str, int]) -> str:
    """How many in all, and for what."""
    reasons = ", ".join(f"{code.replace('_', ' ')}: {count}" for code, count in owners.items())
    return f"{sum(owners.values())} ({reasons})" if reasons else "0"


def follow(
    store: Store,
    key: str,
    most_rounds: int | None,
    names: Mapping[str, str],
    *,
    wei: bool = False,
    assets: Assets = NO_TOKENS,
    look_seconds: float = _LOOK_SECONDS,
) -> None:
    """Tell what happens until the training has ended; raises typer.Exit where it did not finish.

    Parties have their `names`, by address, before their addresses; amounts are written in `assets`. Ctrl-C
    ends the telling, not the training.
    """
    follower = Follower(store, key, most_rounds, names, wei, assets)
    with going_on(lambda: goes_on(store, key)):
        row = _until_the_end(follower, look_seconds)
    typer.echo(visible(f"training {row.training or ''}: {row.display_status}"))
    state = buyer_convergence(store, row)
    if state is not None and (text := convergence_sentence(state)):
        typer.echo(text)
    if text := penalty_sentence(buyer_penalties(store, row)):
        typer.echo(text)
    if (folds := buyer_folds(store, row)) is not None:
        typer.echo(folds_sentence(folds))
    if row.display_status != "FINISHED":
        raise typer.Exit(FAILURE)


def goes_on(store: Store, key: str) -> str:
    """What to say to somebody who does not wait for a training's end."""
    found = store.instance(key)
    known = key if found is None or found.training is None else found.training
    return f"the training goes on; `deltaml show {known} --follow` takes it up again"


def _until_the_end(follower: Follower, look_seconds: float) -> InstanceRow:
    while True:
        row = follower.store.instance(follower.key)  # first: what it noted before its end is told below
        for line in follower.lines():
            typer.echo(visible(line))
        if row is not None and row.finished:
            return row
        time.sleep(look_seconds)
