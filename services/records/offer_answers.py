"""Whom a buyer asks what is on offer, and who has answered: its configuration and its store tell."""

import time
from collections.abc import Iterable, Sequence
from pathlib import Path

from protocol.messages.market import MOST_AGGREGATORS
from services.common.addresses import is_address, plain_address
from services.common.errors import ConfigurationError
from services.config.daemons import ModelBuyerConfig
from services.records.offers import FRESH_SECONDS, asking_of
from services.store import Store


def chosen_aggregators(
    settings: ModelBuyerConfig, chosen: Sequence[str], by_default: Sequence[str], config: Path
) -> tuple[str, ...]:
    """The addresses of those `chosen`, by address or by the configuration's name for them, else `by_default`.

    Raises ConfigurationError for another name, for nobody, and for too many at once.
    """
    by_name = {name: address for address, name in settings.names.items()}
    found = (by_name.get(one) or plain_address(one) for one in chosen)
    asked = tuple(dict.fromkeys(found)) or tuple(by_default)
    wrong = [one for one in asked if not is_address(one)]
    if wrong:
        raise ConfigurationError(
            f"the aggregator {wrong[0]!r} is no address, 0x and 40 hexadecimal digits, nor a name in {config}"
        )
    if not asked:
        raise ConfigurationError(f"no aggregator is named: name one, or list aggregators in {config}")
    if len(asked) > MOST_AGGREGATORS:
        raise ConfigurationError(f"{len(asked)} aggregators are named; at most {MOST_AGGREGATORS} at once")
    return asked


def to_be_asked(store: Store, aggregators: Iterable[str]) -> tuple[str, ...]:
    """Those whose last complete answer is so old that another is worth asking for."""
    since = int(time.time() - FRESH_SECONDS)
    return tuple(one for one in aggregators if not _has_told(store, one, since))


def have_answered(store: Store, aggregators: Iterable[str], order: bytes) -> bool:
    """Whether all have told all that is on offer, asked by the order of this message id."""
    return all(_has_told(store, one, 0, order) for one in aggregators)


def silent(store: Store, aggregators: Iterable[str]) -> tuple[str, ...]:
    """Those that were never asked, or have not told all since they were asked last."""
    return tuple(one for one in aggregators if not _has_told(store, one, 0))


def _has_told(store: Store, aggregator: str, since: int, order: bytes | None = None) -> bool:
    asking = asking_of(store, aggregator)
    if asking is None or asking.told_at is None:
        return False
    return asking.told_at >= since and order in (None, asking.order)
