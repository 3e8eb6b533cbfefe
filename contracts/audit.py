# ruff: noqa: INP001
"""Run slither on the contracts, in an environment of its own, with the pinned solcjs.

python contracts/audit.py     exit status 1 when it finds anything that README.md does not answer
"""

import os
import re
import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
sys.path.insert(0, str(FOLDER))

import build  # noqa: E402  # the script beside this one, wherever this one is started from

SLITHER = "slither-analyzer==0.11.6"


def main() -> int:
    """Slither's findings on standard output; its exit status, or 1 when it analysed no contract."""
    build.install()
    programs = [FOLDER / "node_modules" / ".bin", Path(build.tool("node")).parent]
    environment = {**os.environ, "PATH": os.pathsep.join([*map(str, programs), os.environ["PATH"]])}
    command = [build.tool("uv"), "tool", "run", "--from", SLITHER, "slither", "."]
    with build.alone():
        result = subprocess.run(  # noqa: S603
            command, cwd=FOLDER, env=environment, text=True, stdout=-1, stderr=subprocess.STDOUT, check=False
        )
    print(result.stdout)  # noqa: T201
    analysed = re.search(r"analyzed \((\d+) contracts", result.stdout)
    if analysed is None or int(analysed[1]) == 0:
        print("slither analysed no contract")  # noqa: T201
        return 1
    return int(result.returncode != 0)


if __name__ == "__main__":
    sys.exit(main())
