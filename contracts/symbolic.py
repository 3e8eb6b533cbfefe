# ruff: noqa: INP001
"""Prove with halmos what the symbolic tests claim, in an environment of its own, with the pinned solcjs.

python contracts/symbolic.py     exit status 1 when a claim is disproved, or not proved in the time
"""

import os
import re
import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
sys.path.insert(0, str(FOLDER))

import build  # noqa: E402  # the script beside this one, wherever this one is started from

HALMOS = "halmos==0.3.3"
SECONDS_A_CLAIM = 300
CLAIMS = re.compile(r"function check_\w+")
OUT, CACHE = "cache/symbolic/out", "cache/symbolic/cache"
"""Of its own, so that forge need not wait for the proofs."""


def main() -> int:
    """Halmos's verdicts on standard output; its exit status, or 1 when not all claims were looked at."""
    build.install()
    programs = [FOLDER / "node_modules" / ".bin", Path(build.tool("node")).parent]
    path = os.pathsep.join([*map(str, programs), os.environ["PATH"]])
    environment = {**os.environ, "PATH": path, "FOUNDRY_OUT": OUT, "FOUNDRY_CACHE_PATH": CACHE}
    options = ["--match-contract", "Symbolic", "--forge-build-out", OUT]
    options += ["--solver-timeout-assertion", f"{SECONDS_A_CLAIM}s"]
    command = [build.tool("uv"), "tool", "run", "--from", HALMOS, "halmos", *options]
    result = subprocess.run(  # noqa: S603
        command, cwd=FOLDER, env=environment, text=True, stdout=-1, stderr=subprocess.STDOUT, check=False
    )
    print(result.stdout[result.stdout.find("\nRunning") :])  # noqa: T201  # above: files of both profiles
    sources = "".join(file.read_text() for file in FOLDER.glob("test/*.symbolic.sol"))
    proved = len(re.findall(r"\[PASS\]", result.stdout))
    return int(result.returncode != 0 or proved < len(CLAIMS.findall(sources)))


if __name__ == "__main__":
    sys.exit(main())
