"""Time the product: whole trainings by `deltaml demo`, each in its own process so that its start counts."""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from pydantic import BaseModel

from tests.benchmarks.data import SEED, STEP_SIZE

_DEMO = "import typer; from services.cli.demo import demo; typer.run(demo)"
_ROOT = Path(__file__).parents[2]


class OursReport(BaseModel):
    """The figures of the demo's own report that are compared, as measured; nothing is scaled.

    `seconds_total` runs from the start of the process; `seconds_by_phase` adds up all workers, and
    `processor_seconds` is what the system charged to the process and its workers.
    """

    rounds: int
    local_steps: int
    key_bits: int
    mse_initial: float
    mse_final: float
    mse_plaintext_same_schedule: float
    weights_max_abs_error: float
    seconds_total: float
    seconds_by_phase: dict[str, float]
    processor_seconds: float
    bytes_on_bus: int
    messages_on_bus: int

    @property
    def mse_relative_error(self) -> float:
        """Of the final model, against the same schedule in plain numbers."""
        return abs(self.mse_final / self.mse_plaintext_same_schedule - 1)


def measure(*, key_bits: int, rounds: int, local_steps: int, thesis: bool = False) -> OursReport:
    """Run the demo, with `thesis` on features as they are; RuntimeError with what it printed if it fails."""
    with tempfile.TemporaryDirectory() as folder:
        report, charged = Path(folder) / "report.json", Path(folder) / "seconds"
        options = {
            "rounds": rounds,
            "local-steps": local_steps,
            "step-size": STEP_SIZE,
            "start": "zero",
            "key-bits": key_bits,
            "seed": SEED,
            "model-out": Path(folder) / "model.json",
            "report": report,
        }
        arguments = [f"--{name}={value}" for name, value in options.items()] + ["--thesis"] * thesis
        module = "tests.benchmarks.processor_time"
        command = [sys.executable, "-m", module, str(charged), sys.executable, "-c", _DEMO, *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=_ROOT)
        if done.returncode:
            raise RuntimeError(
                f"deltaml demo {' '.join(arguments)} failed with {done.returncode}:\n{done.stderr[-4000:]}"
            )
        figures = json.loads(report.read_bytes())
        return OursReport(**figures, processor_seconds=float(charged.read_text()))
