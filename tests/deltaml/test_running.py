import asyncio
import signal
import threading

import pytest

from deltaml.running import run


async def _thread():
    await asyncio.sleep(0)
    return threading.current_thread()


def test_work_runs_here_or_beside_a_loop_that_runs_already():
    assert run(_thread()) is threading.main_thread()

    async def as_in_a_notebook():
        return run(_thread())

    assert asyncio.run(as_in_a_notebook()) is not threading.main_thread()


async def test_what_work_raises_is_raised():
    async def fails():
        raise ValueError("as expected")

    with pytest.raises(ValueError, match="as expected"):
        run(fails())


@pytest.fixture
def interrupt():
    """Interrupts the main thread, whatever the shell that started the tests does with SIGINT."""
    before = signal.signal(signal.SIGUSR1, signal.default_int_handler)
    main = threading.main_thread().ident
    assert main is not None
    yield lambda: signal.pthread_kill(main, signal.SIGUSR1)
    signal.signal(signal.SIGUSR1, before)


def test_an_interrupt_in_a_notebook_cancels_the_work(interrupt):
    ended = []

    async def endless():
        try:
            interrupt()
            await asyncio.Event().wait()
        finally:
            ended.append("cancelled")

    async def cell():
        run(endless())

    loop = asyncio.new_event_loop()
    try:
        with pytest.raises(KeyboardInterrupt):
            loop.run_until_complete(cell())
    finally:
        loop.close()
    assert ended == ["cancelled"]
