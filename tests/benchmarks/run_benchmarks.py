"""The commands that measure run whole, and tell everything they should: part of `make campaigns`.

How fast anything is, is not tested.
"""

import json
import re

import pytest
from rich.console import Console

from tests.benchmarks.__main__ import measure as measure_training
from tests.benchmarks.cases import CASES
from tests.benchmarks.inbox import measure as measure_inbox
from tests.benchmarks.models import RESULTS, main
from tests.benchmarks.report import show
from tests.benchmarks.test_benchmarks import KEY_BITS, small

__all__ = ["small"]

COUNT = 40
"""Messages to one daemon."""


def test_one_run_measures_everything_and_prints_it(tmp_path, small):
    console = Console(record=True, width=200, file=(tmp_path / "output").open("w"))
    report = measure_training(
        console,
        small,
        key_bits=KEY_BITS,
        iterations=2,
        schedules=((2, 2),),
        result_rounds=2,
        primitive_runs=1,
    )
    show(report, console)
    console.file.close()
    printed = console.export_text()
    assert "times faster" in printed
    assert "3311.84" in printed
    assert report.thesis.weights_max_abs_error < 1e-9
    assert report.thesis.metric_max_relative_error < 1e-9
    assert report.ours[0].weights_max_abs_error < 1e-8
    assert report.ours[0].mse_relative_error < 1e-5
    assert report.ours[0].bytes_on_bus > 0
    assert report.ours[0].processor_seconds > 0
    assert all(primitive.milliseconds > 0 for primitive in report.primitives)
    assert json.loads(report.model_dump_json())["ratios"][0]["rounds"] == 2


def test_the_command_writes_every_table(tmp_path, capsys: pytest.CaptureFixture[str]) -> None:
    main(seeds=1, out=tmp_path / "results.md")
    text = (tmp_path / "results.md").read_text(encoding="utf-8")
    assert capsys.readouterr().out.strip() == text.strip()
    kept = RESULTS.read_text(encoding="utf-8")
    titles = [[line for line in one.splitlines() if line.startswith("## ")] for one in (text, kept)]
    assert titles[0] == titles[1]
    assert len(titles[0]) == len(CASES)
    assert not re.search(r"\bnan\b", text)


@pytest.mark.parametrize("backlog", [False, True])
async def test_every_message_passes_gate_and_inbox(rabbitmq, tmp_path, backlog):
    run = await measure_inbox(rabbitmq, tmp_path, COUNT, backlog=backlog)
    assert run.messages == COUNT
    assert 1 <= run.commits <= COUNT
    assert run.per_second > 0
