"""A whole market in one process."""

from concurrent.futures.process import BrokenProcessPool

import pytest

from services.common.errors import ServiceError
from services.data.sample_request import DemoOptions
from services.runtime.step_pool import StepPool
from services.sandbox.demo import LEAST_DEMO_KEY_BITS, run_demo


def test_a_market_whose_worker_processes_are_ended_stops_and_says_so(monkeypatch):
    """Nobody takes up what a step has failed on: all parties would wait for each other."""

    async def ended(*_arguments):
        raise BrokenProcessPool

    monkeypatch.setattr(StepPool, "run", ended)
    options = DemoOptions(key_bits=LEAST_DEMO_KEY_BITS, workers=0)
    with pytest.raises(ServiceError, match=r"a step of a party has failed: .*--workers 1"):
        run_demo(options, lambda _text, _event: None)
