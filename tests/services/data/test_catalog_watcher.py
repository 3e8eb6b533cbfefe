"""Trainings that wait learn of every change of the catalogue, and of those from before the start."""

import asyncio
from contextlib import asynccontextmanager

import numpy as np
import pytest
from structlog.testing import capture_logs

from protocol.data_set import card_of
from protocol.roles.engine.inputs import CatalogueChanged
from services.common.errors import StoreUnavailable
from services.data.catalog import Catalog
from services.data.catalog_watcher import watch_catalog
from tests.support.daemons.scripted_daemon import until
from tests.support.roles.pure_party import make_statistic


@pytest.fixture
def catalogue(tmp_path):
    return Catalog(tmp_path / "catalogue")


def statistic(rows=5):
    return make_statistic(("x", "y"), np.arange(2.0 * rows).reshape(rows, 2) ** 2)


@asynccontextmanager
async def watching(catalogue, offer, changed=lambda: None):
    task = asyncio.create_task(watch_catalog(catalogue, lambda: ["4"], offer, changed, seconds=0.01))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_every_change_is_told_once(catalogue):
    told, changed = [], asyncio.Event()
    async with watching(catalogue, lambda keys, item: told.append((keys, item)), changed.set):
        await until(lambda: len(told) == 1)
        assert changed.is_set()
        for number, change in enumerate(
            (
                lambda: catalogue.add("rows", statistic(), "rows.csv"),
                lambda: catalogue.set_card(card_of("rows", statistic()).model_copy(update={"purpose": "x"})),
                lambda: catalogue.remove("rows"),
            ),
            start=2,
        ):
            change()
            await until(lambda number=number: len(told) == number)
            await asyncio.sleep(0.05)
            assert told[number - 1 :] == [(["4"], CatalogueChanged())]


async def test_a_store_that_is_away_is_told_later(catalogue):
    attempts = []

    def offer(keys, item):
        attempts.append((keys, item))
        if len(attempts) == 1:
            raise StoreUnavailable("no answer from the server")

    async with watching(catalogue, offer):
        await until(lambda: len(attempts) == 2)
        await asyncio.sleep(0.05)
    assert len(attempts) == 2


async def test_a_folder_that_cannot_be_read_for_a_while_is_looked_at_again(catalogue, monkeypatch):
    """As when a stranger's connections have taken every file that the process may open."""
    told, looks = [], iter([OSError(24, "Too many open files"), PermissionError(13, "Permission denied")])
    original = catalogue.manifest

    def manifest():
        for error in looks:
            raise error
        return original()

    monkeypatch.setattr(catalogue, "manifest", manifest)
    async with watching(catalogue, lambda keys, item: told.append((keys, item))):
        await until(lambda: told)
    assert told == [(["4"], CatalogueChanged())]


async def test_strays_are_logged_when_they_come(catalogue):
    told = []
    with capture_logs() as logs:
        async with watching(catalogue, lambda keys, item: told.append((keys, item))):
            await until(lambda: len(told) == 1)
            (catalogue.folder / "rows (1).dataset").touch()
            await until(lambda: logs)
    assert [(one["event"], one["file"]) for one in logs] == [("stray_in_catalogue", "rows (1).dataset")]
