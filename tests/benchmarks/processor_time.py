"""`python -m tests.benchmarks.processor_time FILE COMMAND…`: run a command and write what its processes cost.

Worker processes of a fork server are no descendants that `getrusage` counts, since nobody waits for the
server. As subreaper this process inherits it when the command ends, waits for it, and so learns its seconds
(Linux only).
"""

import ctypes
import os
import resource
import subprocess
import sys
from pathlib import Path

_PR_SET_CHILD_SUBREAPER = 36


def run(command: list[str]) -> tuple[int, float]:
    """The command's exit code, and the processor seconds of it and everything that it started."""
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    code = subprocess.run(command, check=False).returncode
    while True:
        try:
            os.wait()
        except ChildProcessError:
            break
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return code, usage.ru_utime + usage.ru_stime


if __name__ == "__main__":
    exit_code, seconds = run(sys.argv[2:])
    Path(sys.argv[1]).write_text(str(seconds))
    sys.exit(exit_code)
