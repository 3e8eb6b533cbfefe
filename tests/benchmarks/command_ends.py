"""How often a command ends otherwise than with status 0, over many runs, some at a time.

python -m tests.benchmarks.command_ends 1000 2 predict model.json rows.csv
"""

import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path


def status_of(arguments: list[str]) -> int:
    """The exit status of one run; what it says where that is not 0."""
    command = [str(Path(sys.executable).with_name("deltaml")), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.stderr.write(f"{done.returncode} {done.stderr[-500:]}\n")
    return done.returncode


def main() -> None:
    """Run, and print how many ended with each status."""
    runs, at_once, *arguments = sys.argv[1:]
    with ThreadPoolExecutor(int(at_once)) as pool:
        sys.stdout.write(f"{Counter(pool.map(status_of, [arguments] * int(runs)))}\n")


if __name__ == "__main__":
    main()
