"""Whether owners are admitted by the aggregators that they work with, as their own stores tell."""

import time
from collections.abc import Collection, Iterable
from contextlib import closing

from services.admin.market_process import Member
from services.common.errors import ConfigurationError, StoreUnavailable
from services.records.admissions import admitted_by
from services.store import Store

_LOOK_SECONDS = 0.2


def wait_until_admitted(owners: Iterable[Member], aggregators: Collection[str], seconds: float) -> list[str]:
    """Wait until these aggregators (addresses) have admitted the owners; names those that are left after it.

    An opening before an owner knows its aggregator is not looked at: the training would go on without it.
    """
    left, until = list(owners), time.monotonic() + seconds
    while left := [one for one in left if not _is_admitted(one, aggregators)]:
        if time.monotonic() > until:
            break
        time.sleep(_LOOK_SECONDS)
    return [one.name for one in left]


def _is_admitted(owner: Member, aggregators: Collection[str]) -> bool:
    try:
        store = Store(owner.config.store, password=owner.config.store_password(), existing=True)
    except (ConfigurationError, StoreUnavailable):  # its daemon makes it just now
        return False
    with closing(store):
        return admitted_by(store).issuperset(aggregators)
