"""The series of gas by owners: of the contract itself, as `contracts/forge.py --gas` measures it."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.benchmarks import machine
from tests.benchmarks.growth.series import Point, Series, Told, missing

WHOLE = (4, 10, 64, 256)
SNAPSHOT = Path(__file__).parents[3] / "contracts" / "snapshots" / "Gas.json"
CALLS = (
    "join, the last owner",
    "draw",
    "recordRound, the first",
    "recordRound, a later one",
    "settle",
    "claim, the last owner",
)
_BLOCK_GAS = 16_777_216
"""The most that a transaction may use since Osaka (EIP-7825)."""


def measure(sizes: Sequence[int], key_bits: int, told: Told) -> Series:
    """Figures of the snapshot that forge's tests hold the contract to; a size without any is left out."""
    told("gas by owners")
    figures = {name: int(value) for name, value in json.loads(SNAPSHOT.read_text()).items()}
    found = [size for size in sorted(sizes) if _named("draw", size) in figures]
    points = [Point(size=size, figures=_of(figures, size)) for size in found]
    dearest = max(points[-1].figures, key=lambda call: points[-1].figures[call])
    most = points[-1].figures[dearest]
    return Series(
        name="gas",
        title="Gas by owners",
        axis="owners",
        how=(
            "Of the shipped contract, one transaction each with calldata and base fee, measured by forge "
            "(`contracts/forge.py --gas`), whose tests fail when a figure changes."
        ),
        points=points,
        left_out=missing(WHOLE, found),
        bottleneck=(
            f"{dearest} with {found[-1]} owners, {most:,.0f} gas, which is {most / _BLOCK_GAS:.0%} of what a "
            "transaction may use since Osaka"
        ),
        moved_by=(
            "fewer owners: a round's record holds two numbers and a pay weight for each trainer, and the "
            "contract recovers a signature of each validator. Later rounds write to slots that are in use, "
            "for a third"
        ),
        machine=machine.describe(),
    )


def _named(call: str, owners: int) -> str:
    return f"{call}, {owners} owners"


def _of(figures: Mapping[str, int], owners: int) -> dict[str, float]:
    return {f"gas, {call}": float(figures[_named(call, owners)]) for call in CALLS}
