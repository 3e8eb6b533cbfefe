"""A process ends with its status although a native thread of pyarrow's is still at work."""

import subprocess
import sys

PROGRAM = """
import atexit, io, sys, time
import pyarrow.csv
from services.common.ending import leave

class Slow(io.RawIOBase):
    reads = 0
    def readable(self):
        return True
    def read(self, _size=-1):
        self.reads += 1
        if self.reads > 2:  # pyarrow reads ahead, in its own thread, while the program ends
            time.sleep(0.2)
        return (b"a,b\\n" if self.reads == 1 else b"") + b"1,2\\n" * 400_000

reader = pyarrow.csv.open_csv(Slow(), read_options=pyarrow.csv.ReadOptions(use_threads=False))
reader.read_next_batch()
atexit.register(print, "registered")
print("done")
if sys.argv[1:] == ["leave"]:
    leave(3)
"""


def ended(*arguments):
    return subprocess.run(
        [sys.executable, "-c", PROGRAM, *arguments], capture_output=True, text=True, timeout=300, check=False
    )


def test_a_thread_that_reads_ahead_does_not_abort_a_process_that_has_done_its_work():
    result = ended("leave")
    assert (result.returncode, result.stdout) == (3, "done\nregistered\n")


def test_a_process_without_pyarrow_ends_as_any_other():
    program = "from services.common.ending import leave; leave(3); print('goes on')"
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (result.returncode, result.stdout) == (0, "goes on\n")
