"""Daemons forked from one process that has imported everything they need.

Twenty daemons started one by one would each spend seconds of a core on imports and hold a copy of every
module. Forked, they start in milliseconds and share the modules' memory. Each is a process of its own all the
same: it is built by `run_daemon`, it can be killed, and its pool's workers are processes of their own.
"""

import gc
import importlib
import json
import multiprocessing.forkserver
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import traceback
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import connection, resource_tracker
from pathlib import Path
from typing import Self

from protocol.request import LEAST_KEY_BITS
from tests.support.broker.rabbitmq import Server
from tests.support.daemons.command_line import run_json
from tests.support.daemons.daemon_market import DaemonMarket, DaemonProcess

_MODULES = (
    "aio_pika",
    "aiohttp",
    "coincurve",
    "concurrent.futures.process",
    "eth_hash.auto",
    "eth_keyfile.keyfile",
    "multiprocessing.popen_forkserver",
    "prometheus_client.exposition",
    "protocol.learning.descent",
    "protocol.roles.dispatch",
    "services.bus.amqp.amqp_bus",
    "services.chain.rpc.new_heads",
    "services.daemon.participant",
    "services.participants.standing_orders",
    "sqlalchemy.dialects.sqlite",
    "uvloop",
)


class ForkedDaemon:
    """One daemon; the interface is that of Popen as far as tests use it."""

    def __init__(self, server: "DaemonForks", pid: int) -> None:
        self._server, self.pid = server, pid
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """The exit status, minus the signal's number for one that was killed; None while it runs."""
        if self.returncode is None:
            self.returncode = self._server.ask(wait=self.pid)
        return self.returncode

    def wait(self, timeout: float) -> int:
        deadline = time.monotonic() + timeout
        while (status := self.poll()) is None:
            if time.monotonic() > deadline:
                raise subprocess.TimeoutExpired(f"daemon {self.pid}", timeout)
            time.sleep(0.02)
        return status

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def send_signal(self, number: int) -> None:
        """Nothing happens to one that has ended: until it was polled, its number is not given to others."""
        if self.poll() is None:
            os.kill(self.pid, number)


class DaemonForks:
    """The process that forks daemons; a context in which it runs. Its daemons end with it."""

    def __enter__(self) -> Self:
        self._lock = threading.Lock()
        code = "from tests.support.daemons.forked_daemons import serve; serve()"
        self._process = subprocess.Popen(
            [sys.executable, "-c", code],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            # Threads of a numerical library that only small matrices ask would cost each daemon memory.
            env={**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"},
        )
        return self

    def __exit__(self, *_error: object) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(300)
        self._process.stdout.close()

    def start(
        self, kind: str, config: Path, log: Path, *, least_key_bits: int = LEAST_KEY_BITS
    ) -> ForkedDaemon:
        """Start a daemon of this kind (`model-buyer`…); what it prints is added to `log`."""
        start = {"kind": kind, "config": str(config), "log": str(log), "least_key_bits": least_key_bits}
        pid = self.ask(start=start)
        assert pid is not None
        return ForkedDaemon(self, pid)

    def ask(self, **order: object) -> int | None:
        """One order to the forking process, and its answer."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with self._lock:
            self._process.stdin.write(json.dumps(order) + "\n")
            self._process.stdin.flush()
            answer = self._process.stdout.readline()
        if not answer:
            raise RuntimeError(f"the process that forks daemons ended with {self._process.wait(300)}")
        return json.loads(answer)  # type: ignore[no-any-return]


class ForkedDaemonProcess(DaemonProcess):
    """A market's daemon, forked; small keys are a test's own choice, no configuration allows them."""

    def __init__(
        self, name: str, kind: str, config: Path, forks: DaemonForks, *, least_key_bits: int = LEAST_KEY_BITS
    ) -> None:
        super().__init__(name, kind, config)
        self._forks, self._least_key_bits = forks, least_key_bits

    def start(self) -> None:
        self.process = self._forks.start(  # type: ignore[assignment]
            self.kind, self.config, self.log, least_key_bits=self._least_key_bits
        )


class ForkedMarket(DaemonMarket):
    """Where start, node and keys are not the point: forked daemons, keys of 1024 bits, four blocks a second.

    Its commands run in the test's process, and steps with so small keys in the daemons' own.
    """

    node_options = ("--block-time", "0.25")
    key_bits = 1024
    workers = 0

    def __init__(self, folder: Path, server: Server, columns, parts, forks: DaemonForks) -> None:
        super().__init__(folder, server, columns, parts)
        self._forks = forks

    def command(self, *arguments: str) -> dict:
        """A `deltaml` command's JSON; a command has a loop of its own, so it runs in another thread."""
        with ThreadPoolExecutor(1) as thread:
            return thread.submit(run_json, *arguments).result()

    def _daemon(self, name: str, kind: str) -> DaemonProcess:
        config = self.config(name)
        return ForkedDaemonProcess(name, kind, config, self._forks, least_key_bits=self.key_bits)


# ---- the forking process ----


def serve() -> None:
    """Take orders from standard input until it is closed; then kill what still runs."""
    for module in _MODULES:
        importlib.import_module(module)
    _work_out_what_is_the_same_for_all()
    _start_resource_tracker()
    gc.collect()
    gc.freeze()  # a collection in a child would copy every page of the modules
    running: set[int] = set()
    try:
        for line in sys.stdin:
            order = json.loads(line)
            if "start" in order:
                pid = os.fork()
                if pid == 0:
                    _become_daemon(**order["start"])
                running.add(pid)
                answer: int | None = pid
            else:
                answer = _status(order["wait"])
                if answer is not None:
                    running.discard(order["wait"])
            sys.stdout.write(json.dumps(answer) + "\n")
            sys.stdout.flush()
    finally:
        for pid in running:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)


def _work_out_what_is_the_same_for_all() -> None:
    """What a daemon works out once and keeps: of the contract's ABI, of the small primes, of the tables."""
    from protocol.crypto.paillier import generate_private_key  # noqa: PLC0415
    from protocol.crypto.validation import prove_key, verify_public_key  # noqa: PLC0415
    from services.chain.contract.abi import event_topic, interface_id  # noqa: PLC0415
    from services.store import Store  # noqa: PLC0415

    interface_id()
    event_topic("Opened")
    key = generate_private_key(512)
    verify_public_key(int(key.public_key.n), prove_key(key), 512, 512)
    Store().close()


def _start_resource_tracker() -> None:
    """One for all daemons, which would start one each; what a killed daemon leaves behind is no news."""
    os.environ["PYTHONWARNINGS"] = "ignore"
    resource_tracker.ensure_running()
    del os.environ["PYTHONWARNINGS"]


def _status(pid: int) -> int | None:
    ended, status = os.waitpid(pid, os.WNOHANG)
    return os.waitstatus_to_exitcode(status) if ended else None


def _become_daemon(kind: str, config: str, log: str, least_key_bits: int) -> None:
    """In the child: as `deltaml KIND --config FILE` does."""
    from protocol.errors import DeltaMLError  # noqa: PLC0415
    from services.config.daemons import ParticipantConfig, load  # noqa: PLC0415
    from services.daemon.participant import run_daemon  # noqa: PLC0415

    status = 1
    try:
        _replace_streams(Path(log))
        settings = load(Path(config), kind)
        if isinstance(settings, ParticipantConfig) and settings.workers != 0:
            _fork_worker_server()
        run_daemon(settings, least_key_bits=least_key_bits)
        status = 0
    except DeltaMLError as error:
        sys.stderr.write(f"error: {error}\n")
    except BaseException:  # noqa: BLE001  told, as an interpreter does with what nobody catches
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(status)


def _replace_streams(log: Path) -> None:
    null, output = (
        os.open(os.devnull, os.O_RDONLY),
        os.open(log, os.O_APPEND | os.O_CREAT | os.O_WRONLY, 0o600),
    )
    for source, target in ((null, 0), (output, 1), (output, 2)):
        os.dup2(source, target)
    os.close(null)
    os.close(output)


def _fork_worker_server() -> None:
    """The server from which the daemon's pool forks its workers, forked before the daemon has any thread.

    multiprocessing would start it as a new interpreter with all imports; if this one dies, it still does.
    """
    server = multiprocessing.forkserver._forkserver
    with socket.socket(socket.AF_UNIX) as listener:
        address = connection.arbitrary_address("AF_UNIX")
        listener.bind(address)
        listener.listen()
        alive_r, alive_w = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(alive_w)
            try:
                multiprocessing.forkserver.main(os.dup(listener.fileno()), alive_r, [])
            finally:
                os._exit(0)
        os.close(alive_r)
    server._forkserver_address, server._forkserver_alive_fd, server._forkserver_pid = address, alive_w, pid
