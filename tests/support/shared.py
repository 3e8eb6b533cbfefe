"""A server that all processes of a test run share; the process that started it ends it."""

import fcntl
import json
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import IO, Any

Description = dict[str, Any]


@contextmanager
def shared(
    folder: Path, name: str, start: Callable[[], AbstractContextManager[Description]]
) -> Iterator[Description]:
    """What `start` yields, as JSON tells it; the run's processes share `folder`.

    Every user holds a shared lock, which the system takes back from a process that dies.
    """
    state = folder / f"{name}.json"
    with (
        (folder / f"{name}.mutex").open("w") as mutex,
        (folder / f"{name}.users").open("w") as users,
        ExitStack() as stack,
    ):
        fcntl.flock(mutex, fcntl.LOCK_EX)
        started = not state.exists()
        if started:
            description = stack.enter_context(start())
            state.write_text(json.dumps(description))
        else:
            description = json.loads(state.read_text())
        fcntl.flock(users, fcntl.LOCK_SH)
        fcntl.flock(mutex, fcntl.LOCK_UN)
        try:
            yield description
        finally:
            fcntl.flock(users, fcntl.LOCK_UN)
            if started:
                _wait_for_last(state, mutex, users)


def _wait_for_last(state: Path, mutex: IO[str], users: IO[str]) -> None:
    while True:
        fcntl.flock(mutex, fcntl.LOCK_EX)  # nobody joins while we look
        try:
            fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            fcntl.flock(mutex, fcntl.LOCK_UN)
            time.sleep(0.1)
        else:
            state.unlink()
            fcntl.flock(mutex, fcntl.LOCK_UN)
            return
