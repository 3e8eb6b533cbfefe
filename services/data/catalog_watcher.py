"""Tells an owner's trainings when its data sets change, whoever changed them: a command or the console."""

import asyncio
from collections.abc import Callable, Iterable

import structlog

from protocol.errors import DeltaMLError
from protocol.roles.engine.inputs import CatalogueChanged, Input
from services.common.outages import Outage
from services.data.catalog import Catalog, Manifest

_log = structlog.get_logger(__name__)


async def watch_catalog(
    catalog: Catalog,
    undecided: Callable[[], Iterable[str]],
    offer: Callable[[Iterable[str], Input], None],
    changed: Callable[[], object] = lambda: None,
    *,
    seconds: float = 2.0,
) -> None:
    """Tell `changed`, and offer CatalogueChanged to the `undecided` instances, after every change.

    Also at the start: data sets may have come and gone while the daemon was stopped. Runs until cancelled.
    """
    known: Manifest | None = None
    outage = Outage(_log, "catalogue_waits", "catalogue_read_again")
    while True:
        try:
            manifest = catalog.manifest()
            if manifest != known:
                changed()
                offer(undecided(), CatalogueChanged())
                for stray in catalog.strays():
                    _log.warning("stray_in_catalogue", file=stray.file, reason=stray.reason)
                known = manifest
            outage.works()
        except DeltaMLError as error:  # the store is away, or files cannot be opened: at the next look
            outage.failed(error)
        except OSError as error:  # the disk is away
            outage.failed(error, reason=error.strerror or type(error).__name__)
        await asyncio.sleep(seconds)
