"""Whether owners are admitted by the aggregators that they work with, as their own stores tell."""

import time
from collections.abc import Collection, Iterable
from contextlib import closing

from services.admin.market_control import MarketControl
from services.admin.market_process import Member
from services.common.errors import ConfigurationError, StoreUnavailable
from services.records.admissions import admitted_by
from services.store import Store

ADMISSION_SECONDS = 20.0
"""For owners that have started to be admitted: more than one round of announcements and answers takes."""

_LOOK_SECONDS = 0.2


def not_admitted(control: MarketControl, seconds: float = ADMISSION_SECONDS) -> list[str]:
    """The owners of a market that run here and are not admitted within `seconds` by their aggregators here.

    To an order that comes before they are not there.
    """
    running = [one for one in control.members if control.slot(one.name).pid() is not None]
    owners = [one for one in running if one.config.daemon == "data-owner"]
    return wait_until_admitted(owners, aggregators_here(control), seconds)


def not_admitted_text(name: str) -> str:
    """What people are told of an owner that is waited for."""
    return f"{name} is not admitted yet: deltaml health tells why, and when it asks again"


def aggregators_here(control: MarketControl) -> list[str]:
    """The addresses of the aggregators that run on this machine and that no other has replaced."""
    return [
        one.address
        for one in control.members
        if one.config.daemon == "aggregator"
        and one.name not in control.record.replaced
        and control.slot(one.name).pid() is not None
    ]


def wait_until_admitted(owners: Iterable[Member], aggregators: Collection[str], seconds: float) -> list[str]:
    """Wait until these aggregators (addresses) have admitted the owners that work with them.

    Names the owners that are left after `seconds`.

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
        awaited = set(aggregators).intersection(getattr(owner.config, "aggregators", ()))
        return awaited <= admitted_by(store)
