"""What calls and the embedded chain both import is imported by one thread at a time."""

import pytest

from services.data.sample_request import DemoOptions
from services.sandbox import local_market
from services.sandbox.local_market import LocalMarket


@pytest.mark.parametrize(("workers", "order"), [(0, ["loaded", "opened"]), (1, ["opened", "loaded"])])
async def test_a_chain_in_a_thread_begins_when_everything_is_loaded(monkeypatch, workers, order):
    """Its thread would import packages at the same time that import each other in circles."""
    seen = []

    def opening(_url, *, apart):
        async def connect(_accounts, _wei):
            seen.append("opened")

        assert apart is bool(workers)
        return connect

    monkeypatch.setattr(local_market, "open_chain", opening)
    monkeypatch.setattr(local_market, "load_libraries", lambda: seen.append("loaded"))
    await LocalMarket({}, DemoOptions(workers=workers))._open_chain((), 0)
    assert seen == order
