"""The commands that measure run whole, and tell everything they should: part of `make campaigns`.

How fast anything is, is not tested.
"""

import json
import re

import pytest
from rich.console import Console

from tests.benchmarks.__main__ import measure as measure_training
from tests.benchmarks.inbox import measure as measure_inbox
from tests.benchmarks.models import RESULTS, main, sections
from tests.benchmarks.report import show
from tests.benchmarks.several_classes import means, wine_of_three
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
    assert titles[0] == [f"## {title}" for title in sections(1)]
    assert not re.search(r"\bnan\b", text)


def test_wines_of_three_growers_are_told_as_by_pooled_rows() -> None:
    """By each owner's own optimum; three trainings."""
    found = means(wine_of_three(), 1)
    ours = next(row for title, row in found.items() if "own optimum, all 5" in title)
    pooled = next(
        row for title, row in found.items() if title.endswith("LogisticRegression, rows of 5 pooled")
    )
    assert ours[0] > pooled[0] - 0.04
    assert ours[1] > pooled[1] - 0.005
    assert ours[2] < pooled[2] + 0.05


@pytest.mark.parametrize("backlog", [False, True])
async def test_every_message_passes_gate_and_inbox(rabbitmq, tmp_path, backlog):
    run = await measure_inbox(rabbitmq, tmp_path, COUNT, backlog=backlog)
    assert run.messages == COUNT
    assert 1 <= run.commits <= COUNT
    assert run.per_second > 0
