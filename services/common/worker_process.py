"""One worker process: it takes tasks one after another over a socket of its own, and answers each.

Nothing stands between the daemon's loop and the worker. An executor of `concurrent.futures` has two threads
there, which cost more than most steps of a role and keep the loop waiting for the interpreter meanwhile.

To import this module takes nothing that a command needs seconds for: see `prepare`.
"""

import asyncio
import gc
import multiprocessing
import os
import pickle
import signal
import socket
import struct
import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from importlib import import_module
from multiprocessing import forkserver
from multiprocessing.connection import wait
from typing import Any, cast

from typing_extensions import override

_CONTEXT = multiprocessing.get_context("forkserver")
_LOADED = ["protocol.roles.dispatch", "services.runtime.step_pool", "services.cli"]
"""What steps need is loaded once, by the process that all workers are forked from; and what the script
`deltaml` begins with, since each worker imports the script of the process that started it."""

_LENGTH = struct.Struct(">Q")
_COLLECTED_AFTER = 50_000
"""So many new objects: a task makes many and keeps few, and what was imported is not looked through again."""

Task = Callable[..., Any]


class WorkerNotStartedError(OSError):
    """The machine has no room for one more process just now: another one may start later."""


def prepare() -> None:
    """Start the process that workers are forked from; it loads what they need while this one goes on."""
    _CONTEXT.set_forkserver_preload(_LOADED)
    forkserver.ensure_running()


# ---- in the worker ----


def _die_with_daemon() -> None:
    """In a worker: end when the daemon is gone, even if it was killed, and in the middle of a long task."""
    daemon = multiprocessing.parent_process()
    assert daemon is not None

    def watch() -> None:
        wait([daemon.sentinel])
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _serve(link: socket.socket, modules: Sequence[str]) -> None:
    """What a worker process does until nobody asks any more."""
    # Ctrl-C reaches a terminal's whole group: the daemon decides what becomes of the task in hand.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _die_with_daemon()
    gc.set_threshold(_COLLECTED_AFTER, *gc.get_threshold()[1:])
    for module in modules:
        import_module(module)
    gc.freeze()
    with link, link.makefile("rb") as asked:
        while len(head := asked.read(_LENGTH.size)) == _LENGTH.size:
            answer = _answered(asked.read(*_LENGTH.unpack(head)))
            link.sendall(_LENGTH.pack(len(answer)) + answer)


def _answered(content: bytes) -> bytes:
    """(whether it was done, its outcome or the exception that it raised), packed."""
    try:
        task, arguments = pickle.loads(content)  # noqa: S301  of the process that started this one
        return pickle.dumps((True, task(*arguments)), protocol=5)
    except Exception as error:  # noqa: BLE001  whoever asked is to see it
        return _packed_error(error)


def _packed_error(error: Exception) -> bytes:
    """An error as it is, or by its kind alone where it cannot be packed: its text may hold secrets.

    A future takes no StopIteration: whoever waits would wait for ever.
    """
    if isinstance(error, StopIteration):
        error = RuntimeError(type(error).__name__)
    try:
        packed = pickle.dumps((False, error), protocol=5)
        pickle.loads(packed)  # noqa: S301  made here
    except Exception:  # noqa: BLE001  whatever an exception's own packing raises
        return pickle.dumps((False, RuntimeError(type(error).__name__)), protocol=5)
    return packed


# ---- in the daemon ----


class _Link(asyncio.Protocol):
    """The daemon's end: answers come in the order in which they were asked for."""

    def __init__(self) -> None:
        self._waiting: deque[asyncio.Future[Any]] = deque()
        self._received = bytearray()
        self._transport: asyncio.Transport
        self.lost = asyncio.Event()

    def ask(self, content: bytes) -> asyncio.Future[Any]:
        """Send a packed request; the answer's future raises BrokenProcessPool when the worker has ended."""
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        if self.lost.is_set():
            future.set_exception(_ended())
            return future
        self._waiting.append(future)
        self._transport.writelines([_LENGTH.pack(len(content)), content])
        return future

    async def close(self) -> None:
        """Ask no more; what is waited for raises BrokenProcessPool."""
        self._transport.abort()
        await self.lost.wait()

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    @override
    def data_received(self, data: bytes) -> None:
        self._received += data
        while len(self._received) >= _LENGTH.size:
            end = _LENGTH.size + _LENGTH.unpack_from(self._received)[0]
            if len(self._received) < end:
                return
            answer = bytes(memoryview(self._received)[_LENGTH.size : end])
            del self._received[:end]
            self._settle(answer)

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self.lost.set()
        while self._waiting:
            future = self._waiting.popleft()
            if not future.done():
                future.set_exception(_ended())

    def _settle(self, answer: bytes) -> None:
        future = self._waiting.popleft()
        if future.done():  # nobody waits any more
            return
        try:
            done, outcome = pickle.loads(answer)  # noqa: S301  of a process that this one started
        except Exception as error:  # noqa: BLE001  whoever waits would wait for ever
            done, outcome = False, error
        if done:
            future.set_result(outcome)
        else:
            future.set_exception(outcome)


def _ended() -> BrokenProcessPool:
    return BrokenProcessPool("the worker process has ended")


class WorkerProcess:
    """A worker process, on its way from the moment it is made."""

    def __init__(self, *modules: str) -> None:
        """`modules` are loaded before anything is asked, beside what every worker has."""
        self._ours, theirs = socket.socketpair()
        self._process = _CONTEXT.Process(target=_serve, args=(theirs, modules), daemon=True)
        self._started: Future[None] = Future()
        self._link: asyncio.Task[_Link] | None = None
        # The process that it is forked from answers when it has loaded everything: not for the loop to wait.
        threading.Thread(target=self._start, args=(theirs,), daemon=True).start()

    @property
    def pid(self) -> int:
        """The process, once it has started."""
        self._started.result()
        assert self._process.pid is not None
        return self._process.pid

    async def run(self, task: Task, *arguments: Any) -> Any:
        """Have the worker call `task`, which it can import; raises what that raises.

        Raises BrokenProcessPool when the process ends meanwhile, or has ended, WorkerNotStartedError when it
        never began. Who stops waiting leaves the worker at it: the next task begins afterwards.
        """
        content = pickle.dumps((task, arguments), protocol=5)
        return await (await self._linked()).ask(content)

    async def ended(self) -> None:
        """Wait until the process has ended; raises WorkerNotStartedError as `run` does."""
        await (await self._linked()).lost.wait()

    async def close(self) -> None:
        """End the process at once: what it is at can be computed again."""
        await asyncio.wait([asyncio.wrap_future(self._started)])
        if self._process.pid is not None:
            self._process.kill()
            await asyncio.to_thread(self._process.join)
        if self._link is None or self._started.exception() is not None:
            self._ours.close()
        else:
            await (await self._link).close()

    def _start(self, theirs: socket.socket) -> None:
        try:
            with theirs:
                prepare()
                self._process.start()
        except BaseException as error:  # noqa: BLE001  whoever waits for the worker is to see it
            self._started.set_exception(error)
        else:
            self._started.set_result(None)

    async def _linked(self) -> _Link:
        if self._link is None:
            self._link = asyncio.create_task(self._connect())
        return await asyncio.shield(self._link)

    async def _connect(self) -> _Link:
        try:
            await asyncio.wrap_future(self._started)
        except Exception as error:
            raise WorkerNotStartedError(f"no worker process: {type(error).__name__}") from error
        _, link = await asyncio.get_running_loop().create_connection(_Link, sock=self._ours)
        return link
