# ruff: noqa: INP001
"""Run forge on the contracts, offline, with the pinned solcjs.

python contracts/forge.py                  build and test
python contracts/forge.py --gas            measure anew: writes snapshots/Gas.json and gas.md
python contracts/forge.py ARGUMENTS        any forge command, such as `test --match-path test/Draw.t.sol -vv`
"""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
sys.path.insert(0, str(FOLDER))

import build  # noqa: E402  # the scripts beside this one, wherever this one is started from

# isort: split
from training_gas import training_tables  # noqa: E402

FIGURES = FOLDER / "snapshots" / "Gas.json"
TABLE = FOLDER / "gas.md"
OWNERS = (4, 10, 64, 256)
CALLS = (
    "open",
    "join, the last owner",
    "close",
    "reveal, the first owner",
    "reveal, the last owner",
    "draw",
    "recordRound, the first",
    "recordRound, a later one",
    "settle",
    "cancel, the roles drawn",
    "claim, the first owner",
    "claim, the last owner",
    "claim, of a cancelled training",
    "withdraw",
)
TOKEN_CALLS = ("approve", "open, a token", "withdraw, a token")
BOND_CALLS = (
    "open, with a bond",
    "join, with a bond",
    "close, with a bond",
    "draw, one of five bonds lost",
    "draw, 252 of 256 bonds lost",
    "cancel, 255 of 256 bonds lost",
    "releaseBond",
    "accuseOfTwoRecords",
)
SHIPPED = {"FOUNDRY_PROFILE": "shipped", "MARKETPLACE": os.path.relpath(build.ARTIFACT, FOLDER)}
"""Settings of a run that tests the contract in the wheel, and so need not compile it."""
PRICES = ("prague", "osaka")
KEY_BITS = (2048, 3072)


def run(arguments: Sequence[str], **settings: str) -> subprocess.CompletedProcess[str]:
    """Forge's output, as text, and exit status; `settings` join its environment."""
    build.install()
    command = [build.tool("node"), "node_modules/@foundry-rs/forge/bin.mjs", *arguments]
    environment = {**os.environ, "NO_COLOR": "1", "FOUNDRY_DISABLE_NIGHTLY_WARNING": "1", **settings}
    with build.alone():
        return subprocess.run(  # noqa: S603
            command, cwd=FOLDER, env=environment, text=True, stdout=-1, stderr=subprocess.STDOUT, check=False
        )


def measure() -> int:
    """Write the gas figures as they are now; the exit status of forge."""
    settings = {"FORGE_SNAPSHOT_EMIT": "true", "FORGE_SNAPSHOT_CHECK": "false"}
    result = run(["test", "--match-path", "test/Gas.t.sol"], **settings)
    print(result.stdout)  # noqa: T201
    if result.returncode == 0:
        TABLE.write_text(table(json.loads(FIGURES.read_text())))
    return result.returncode


def table(figures: dict[str, str]) -> str:
    """The figures as a table of calls by numbers of owners."""
    lines = [
        "# Gas",
        "",
        "One transaction each, with calldata and base fee, when all owners take part. Written by",
        "`python contracts/forge.py --gas`; forge's tests fail when a figure changes.",
        "",
        "| call | " + " | ".join(f"{owners} owners" for owners in OWNERS) + " |",
        "| --- |" + " ---: |" * len(OWNERS),
        f"| register | {int(figures['register']):,} |" + " |" * (len(OWNERS) - 1),
    ]
    for call in CALLS:
        cells = (f"{int(figures[f'{call}, {owners} owners']):,}" for owners in OWNERS)
        lines.append(f"| {call} | " + " | ".join(cells) + " |")
    lines += ["", "With an OpenZeppelin token in the place of ether:", "", "| call | gas |", "| --- | ---: |"]
    lines += [f"| {call} | {int(figures[call]):,} |" for call in TOKEN_CALLS]
    lines += ["", "With bonds in ether:", "", "| call | gas |", "| --- | ---: |"]
    lines += [f"| {call} | {int(figures[call]):,} |" for call in BOND_CALLS]
    return "\n".join([*lines, *_openings(figures), "", *training_tables(figures)]) + "\n"


def _openings(figures: dict[str, str]) -> list[str]:
    """What it costs to show that an opening is false, at two versions' prices of modexp."""
    columns = [(prices, bits) for prices in PRICES for bits in KEY_BITS]
    lines = [
        "",
        "`accuseOfFalseOpening`, before and since Osaka (EIP-7883: dearer modexp; EIP-7825: at most",
        "16,777,216 gas a transaction):",
        "",
        "| | " + " | ".join(f"{prices}, {bits} bits" for prices, bits in columns) + " |",
        "| --- |" + " ---: |" * len(columns),
    ]
    for row in ("in all", "the dearest call"):
        names = (f"accuseOfFalseOpening, {bits} bits, {prices}, {row}" for prices, bits in columns)
        cells = (f"{int(figures[name]):,}" for name in names)
        lines.append(f"| {row} | " + " | ".join(cells) + " |")
    return lines


def main() -> int:
    """The command line; the exit status of forge."""
    arguments = sys.argv[1:]
    if arguments == ["--gas"]:
        return measure()
    result = run(arguments or ["test"])
    print(result.stdout)  # noqa: T201
    return result.returncode


if __name__ == "__main__":
    sys.exit(main())
