"""A tiny run of each series of growth: it comes to its end, with figures that have powers."""

import pytest

from tests.benchmarks.growth import owners, page, parameters, rows, trainings, validators

TINY = {
    parameters: (2, 3),
    owners: (4, 6),
    validators: (2, 3),
    rows: (100, 2000),
    trainings: (1, 2),
}


@pytest.mark.parametrize(("series", "sizes"), TINY.items(), ids=lambda one: getattr(one, "__name__", ""))
def test_a_tiny_run_has_figures_of_each_size(tmp_path, series, sizes):
    found = series.measure(sizes, 1024, lambda _: None)
    assert [one.size for one in found.points] == list(sizes)
    assert all(set(one.figures) == set(found.names) for one in found.points)
    assert found.left_out
    page.keep(tmp_path, found)
    page.write(tmp_path, [found.name])
    assert found.bottleneck in " ".join((tmp_path / page.PAGE).read_text().split())
