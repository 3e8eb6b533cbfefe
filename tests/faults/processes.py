"""Daemons as processes that cost little to start: a server that has imported everything forks them."""

import logging
import multiprocessing
import os
import signal
import sys
import threading
import warnings
from multiprocessing.connection import wait
from pathlib import Path

import structlog

from services.config.daemons import load
from services.daemon.participant import run_daemon
from tests.faults import injected
from tests.faults.switchboard import Switchboard

LEAST_KEY_BITS = 512

_SERVER = multiprocessing.get_context("forkserver")


def start_server() -> None:
    """Have the modules of a daemon imported once; call it before anything else.

    What this process' own connections to a killed broker or node end with is nothing to tell, and its
    standard output is for results.
    """
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    for library in ("aio_pika", "aiormq"):
        logging.getLogger(library).setLevel(logging.CRITICAL)
    warnings.filterwarnings("ignore", "coroutine 'Connection.close' was never awaited", RuntimeWarning)
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    _SERVER.set_forkserver_preload(["tests.faults.processes"])


class ForkedDaemon:
    """One daemon; its output goes to a file, and its switchboard is `board`."""

    def __init__(self, name: str, config: Path, *, patient: bool) -> None:
        self.name, self.config, self.patient = name, config, patient
        self.log = config.with_suffix(".log")
        self.board = Switchboard(config.with_suffix(".board"))
        self.process: multiprocessing.process.BaseProcess | None = None
        self.starts = 0

    def start(self) -> None:
        files = (str(self.config), str(self.log), str(self.config.with_suffix(".board")), self.patient)
        self.process = _SERVER.Process(target=_run, args=files, name=self.name)
        self.process.start()
        self.starts += 1

    @property
    def exit_code(self) -> int | None:
        """None while it runs, -9 after kill -9."""
        return None if self.process is None else self.process.exitcode

    @property
    def pid(self) -> int:
        assert self.process is not None
        assert self.process.pid is not None
        return self.process.pid

    def signal(self, number: signal.Signals) -> None:
        os.kill(self.pid, number)

    def kill(self) -> None:
        """kill -9, also of a process that is stopped."""
        assert self.process is not None
        self.process.kill()
        self.process.join(300)

    def close(self) -> None:
        if self.process is not None and self.process.exitcode is None:
            self.kill()

    def tail(self, lines: int = 15) -> str:
        said = self.log.read_text().splitlines()[-lines:] if self.log.exists() else []
        return f"== {self.name} (exit {self.exit_code})\n" + "\n".join(said)


def _run(config: str, log: str, board: str, patient: bool) -> None:
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(output, 1)
    os.dup2(output, 2)
    _die_with_parent()
    injected.install(Switchboard(Path(board)), patient=patient)
    run_daemon(load(Path(config)), least_key_bits=LEAST_KEY_BITS)
    sys.stdout.flush()


def _die_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    sentinel = parent.sentinel

    def watch() -> None:
        wait([sentinel])
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
