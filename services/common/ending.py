"""The end of a process that has used native threads.

pyarrow reads CSV in threads of its own, which outlive the reading. One that is still at work while Python
takes the interpreter down asks for it in vain: it is unwound through code that must not be, and the process
aborts ("terminate called without an active exception") after everything was done.
"""

import atexit
import os
import sys
import threading


def leave(status: int) -> None:
    """End the process with `status` and without taking the interpreter down, where pyarrow was loaded.

    What is registered for the exit takes place, and both streams are flushed. Returns where there is nothing
    to avoid, or where threads of Python's own are still to be waited for.
    """
    if "pyarrow" not in sys.modules or threading.active_count() > 1:
        return
    atexit._run_exitfuncs()  # noqa: SLF001  what sys.exit would run, while everything is still there
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.flush()
    os._exit(status)
