"""A whole market in one process."""

import os
import signal
from concurrent.futures.process import BrokenProcessPool

import pytest

from services.chain.embedded.embedded_rpc import ProcessRpc
from services.chain.errors import ChainUnavailable
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


@pytest.mark.parametrize("killed_after", ["eth_sendRawTransaction", "eth_getLogs"])
def test_a_market_whose_chain_is_ended_stops_and_says_so(monkeypatch, killed_after):
    """Every daemon takes it for a node that may come back: while it is deployed, and in the middle of it."""
    asked = ProcessRpc.batch

    async def killed(rpc, requests):
        answers = await asked(rpc, requests)
        if any(method == killed_after for method, _ in requests):
            os.kill(rpc.pid, signal.SIGKILL)
        return answers

    monkeypatch.setattr(ProcessRpc, "batch", killed)
    options = DemoOptions(key_bits=LEAST_DEMO_KEY_BITS, workers=1)
    with pytest.raises(ChainUnavailable, match=r"process was ended, .* start a new one"):
        run_demo(options, lambda _text, _event: None)
