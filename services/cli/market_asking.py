"""Has a buyer's daemon ask aggregators what is on offer, and waits for what they tell."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from protocol.messages import CardsOrder
from services.cli.order_sending import give_order, opened_store, wait_for
from services.cli.output import named
from services.cli.waiting import waiting
from services.common.times import format_time
from services.config.daemons import ModelBuyerConfig, load
from services.data.request_suggestion import NOBODY
from services.records.offer_answers import chosen_aggregators, have_answered, to_be_asked
from services.records.offers import asking_of
from services.store import Store

Stored = Annotated[
    bool, typer.Option("--stored", help="Ask nobody: show what was told before, of whatever age.")
]


@dataclass(frozen=True, slots=True)
class Told:
    """A buyer's store, and the aggregators whose word in it is wanted."""

    store: Store
    aggregators: tuple[str, ...]
    names: Mapping[str, str]

    def party(self, address: str) -> str:
        """An address, after the name that the configuration has for it."""
        return named(address, self.names)


@contextmanager
def told_by(
    config: Path, chosen: Sequence[str] | None, seconds: float, *, stored: bool, own: str = NOBODY
) -> Iterator[Told]:
    """What aggregators tell: those chosen, or else `own`, or else the configuration's.

    None is asked that answered within a minute, or when `stored` or no `seconds` to wait are given; of one
    that does not answer it is said on standard error, and what it told before counts. Raises
    ConfigurationError where no aggregator is named, MisuseError and OrderUnanswered as `give_order` does.
    """
    settings = load(config, "model-buyer")
    by_default = settings.aggregators if own == NOBODY else (own,)
    aggregators = chosen_aggregators(settings, chosen or (), by_default, config)
    with opened_store(settings) as store:
        if seconds and not stored:
            _ask(settings, store, aggregators, seconds)
        for one in aggregators:
            _tell_age(store, one, named(one, settings.names))
        yield Told(store, aggregators, settings.names)


def _ask(settings: ModelBuyerConfig, store: Store, aggregators: tuple[str, ...], seconds: float) -> None:
    old = to_be_asked(store, aggregators)
    if old:
        message_id, _ = give_order(settings, "model_buyer", CardsOrder(aggregators=old), seconds=seconds)
        with waiting(f"waiting for the aggregators' answers, at most {seconds:g} s"):
            wait_for(lambda: have_answered(store, old, message_id) or None, seconds)


def _tell_age(store: Store, aggregator: str, name: str) -> None:
    asking = asking_of(store, aggregator)
    if asking is None:
        typer.echo(f"{name} was never asked what is on offer", err=True)
    elif asking.told_at is None:
        typer.echo(
            f"{name} has not told all since {format_time(asking.asked_at)}: is it a registered "
            "aggregator, and does it run? Who asks often is answered once a minute",
            err=True,
        )
