"""Has a buyer's daemon ask aggregators what is on offer, and waits for what they tell."""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from protocol.messages import CardsOrder
from protocol.messages.market import MOST_AGGREGATORS
from services.cli.order_sending import give_order, opened_store, wait_for
from services.cli.output import named
from services.common.addresses import is_address, plain_address
from services.common.errors import ConfigurationError
from services.common.times import format_time
from services.config.daemons import ModelBuyerConfig, load
from services.data.request_suggestion import NOBODY
from services.records.offers import FRESH_SECONDS, asking_of
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
    aggregators = _chosen(settings, chosen, own, config)
    with opened_store(settings) as store:
        if seconds and not stored:
            _ask(settings, store, aggregators, seconds)
        for one in aggregators:
            _tell_age(store, one, named(one, settings.names))
        yield Told(store, aggregators, settings.names)


def _chosen(
    settings: ModelBuyerConfig, chosen: Sequence[str] | None, own: str, config: Path
) -> tuple[str, ...]:
    by_default = settings.aggregators if own == NOBODY else (own,)
    by_name = {name: address for address, name in settings.names.items()}
    found = (by_name.get(one) or plain_address(one) for one in chosen or ())
    asked = tuple(dict.fromkeys(found)) or by_default
    wrong = [one for one in asked if not is_address(one)]
    if wrong:
        raise ConfigurationError(
            f"--aggregator {wrong[0]!r} is no address, 0x and 40 hexadecimal digits, nor a name in {config}"
        )
    if not asked:
        raise ConfigurationError(f"no aggregator is named: give --aggregator, or aggregators in {config}")
    if len(asked) > MOST_AGGREGATORS:
        raise ConfigurationError(f"{len(asked)} aggregators are named; at most {MOST_AGGREGATORS} at once")
    return asked


def _ask(settings: ModelBuyerConfig, store: Store, aggregators: tuple[str, ...], seconds: float) -> None:
    since = int(time.time() - FRESH_SECONDS)
    old = tuple(one for one in aggregators if not _is_told(store, one, since))
    if not old:
        return
    message_id, _ = give_order(settings, "model_buyer", CardsOrder(aggregators=old), seconds=seconds)

    def have_answered() -> bool | None:
        return all(_is_told(store, one, 0, message_id) for one in old) or None

    wait_for(have_answered, seconds)


def _is_told(store: Store, aggregator: str, since: int, order: bytes | None = None) -> bool:
    """Whether its answer is complete: one since then, or to this order."""
    asking = asking_of(store, aggregator)
    if asking is None or asking.told_at is None:
        return False
    return asking.told_at >= since and order in (None, asking.order)


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
