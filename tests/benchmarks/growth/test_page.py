"""The page has every series that was kept, with figures, powers and plots, and says what was not run."""

from xml.etree import ElementTree as ET

import pytest
import typer

from tests.benchmarks import machine
from tests.benchmarks.growth import __main__ as growth
from tests.benchmarks.growth import gas, page
from tests.benchmarks.growth.plot import plot
from tests.benchmarks.growth.series import Point, Series, missing
from tests.benchmarks.growth.trainings import Spent, point_of
from tests.soak.report import Part, SoakReport


def series(**changes):
    figures = [{"products & sums": float(size**2), "bytes": 7.0 * size, "nothing": 0.0} for size in (10, 100)]
    values = {
        "name": "rows",
        "title": "A thing by rows",
        "axis": "rows",
        "how": "By counting.",
        "points": [Point(size=size, figures=one) for size, one in zip((10, 100), figures, strict=True)],
        "left_out": [1000],
        "bottleneck": "the sums",
        "moved_by": "fewer of them",
        "machine": machine.describe(),
    }
    return Series(**{**values, **changes})


def test_a_part_has_figures_powers_and_what_was_not_run():
    text = "\n".join(page.part(series()))
    assert "| products & sums | 100 | 10,000 | 2.00 | × 1.00 | 2.00 |" in text
    assert "| bytes | 70 | 700 | 1.00 | × 1.00 | 1.00 |" in text
    assert "| nothing | 0 | 0 |  |  |  |" in text
    assert "*Takes most:* the sums." in text
    assert "*Grows steepest:* products & sums, by the power 2.00 at the end." in text
    assert "*Not run:* 1,000 rows." in text


def test_a_figure_that_was_not_taken_at_a_size_is_an_empty_cell():
    points = [Point(size=1, figures={"gas": 5.0}), Point(size=2, figures={"gas": 6.0, "late": 1.0})]
    text = "\n".join(page.part(series(points=points, left_out=[])))
    assert "| late |  | 1 |  |  |  |" in text
    assert "Not run" not in text
    assert "steepest:* gas" in text


def test_of_one_size_nothing_is_said_to_grow():
    assert page.steepest(series(points=[Point(size=1, figures={"gas": 5.0})])) == "not known from one size"


def test_a_plot_is_a_picture_with_a_legend_of_what_has_a_logarithm():
    tree = ET.fromstring(plot(series()))
    texts = [one.text for one in tree.iter("{http://www.w3.org/2000/svg}text")]
    assert "products & sums: power 2.00" in texts
    assert not any("nothing" in (text or "") for text in texts)
    assert len(list(tree.iter("{http://www.w3.org/2000/svg}circle"))) == 4


def test_a_series_without_points_above_zero_has_no_plot():
    with pytest.raises(ValueError, match="no points above zero"):
        plot(series(points=[Point(size=1, figures={"gas": 0.0})]))


def test_a_page_keeps_the_series_of_earlier_runs(tmp_path):
    page.keep(tmp_path, series())
    page.keep(tmp_path, series(name="gas", title="Gas"))
    page.write(tmp_path, ["rows", "gas", "owners"])
    text = (tmp_path / page.PAGE).read_text()
    assert [line for line in text.splitlines() if line.startswith("## ")] == [
        "## A thing by rows",
        "## Gas",
        "## owners",
    ]
    assert "## owners\n\nNot run." in text
    assert (tmp_path / "figures" / "rows.svg").exists()


def test_gas_is_of_all_sizes_that_the_contract_was_measured_at():
    found = gas.measure((4, 64, 99), 1024, lambda _: None)
    assert [one.size for one in found.points] == [4, 64]
    assert found.left_out == [10, 256]
    assert found.bottleneck.startswith("gas, recordRound, the first with 64 owners")


def test_the_command_measures_what_is_named_and_writes_the_page(tmp_path):
    growth.main(["gas"], sizes="4,10", folder=tmp_path)
    assert "Gas by owners" in (tmp_path / page.PAGE).read_text()


@pytest.mark.parametrize(
    ("names", "sizes", "told"),
    [
        (["rain"], None, "rain is no series"),
        (["gas", "rows"], "4", "name it"),
        (["gas"], "4,x", "whole numbers"),
        (["gas"], "0", "1 at least"),
    ],
)
def test_what_cannot_be_measured_is_said(tmp_path, names, sizes, told):
    with pytest.raises(typer.BadParameter, match=told):
        growth.main(names, sizes=sizes, folder=tmp_path)


def test_a_training_that_did_not_finish_is_no_point():
    part = Part(trainings=2, seconds=4, messages=8, endings={"FINISHED": 2}, dead_letters={})
    values = {"seed": 1, "owners": 6, "buyers": 1, "key_bits": 1024, "hours": 0, "seconds_per_hour": 1}
    report = SoakReport(
        **values,
        machine=machine.describe(),
        at_once=part,
        life=None,
        on_chain={},
        disturbances={},
        memory={"owner": {"peak_daemon": 2**20, "peak_workers": 0, "spread": 0}},
    )
    assert point_of(2, report, Spent(10.0, 4.0)).figures["processor seconds a training"] == 5
    with pytest.raises(RuntimeError, match="of 3 trainings"):
        point_of(3, report, Spent(10.0, 4.0))


def test_missing_sizes_keep_their_order():
    assert missing((1, 2, 3), (2,)) == [1, 3]
