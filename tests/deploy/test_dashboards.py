"""Dashboards are what their sources say, and whole: every panel with a title, a unit and an explanation."""

import subprocess
import sys

import pytest
import yaml

from tests.support.deployment.promql import DEPLOY, dashboards, metrics_of

GRAFANA = DEPLOY / "grafana"


def test_the_dashboards_are_what_their_sources_make():
    command = [sys.executable, "-B", GRAFANA / "source" / "build.py", "--check"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_there_is_a_dashboard_for_market_daemon_and_broker():
    found = dashboards()
    assert set(found) == {"market", "daemon", "rabbitmq"}
    assert len({one["uid"] for one in found.values()}) == len(found)
    assert len({one["title"] for one in found.values()}) == len(found)


@pytest.mark.parametrize("name", dashboards())
def test_every_panel_is_explained_and_has_its_place(name):
    dashboard = dashboards()[name]
    variables = {one["name"]: one for one in dashboard["templating"]["list"]}
    assert variables["datasource"]["type"] == "datasource"
    assert variables["datasource"]["query"] == "prometheus"
    panels = dashboard["panels"]
    assert len({panel["id"] for panel in panels}) == len({panel["title"] for panel in panels}) == len(panels)
    taken = set()
    for panel in panels:
        assert panel["title"]
        assert panel["description"].endswith(".")
        assert panel["fieldConfig"]["defaults"]["unit"]
        assert panel["type"] in {"stat", "timeseries"}
        assert panel["targets"]
        for asked in (panel, *panel["targets"]):
            assert asked["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken
        taken |= cells


def test_grafana_finds_prometheus_and_the_dashboards():
    provisioning = GRAFANA / "provisioning"
    (source,) = yaml.safe_load((provisioning / "datasources" / "prometheus.yaml").read_text())["datasources"]
    assert (source["type"], source["isDefault"]) == ("prometheus", True)
    (provider,) = yaml.safe_load((provisioning / "dashboards" / "deltaml.yaml").read_text())["providers"]
    assert provider["type"] == "file"
    scraped = yaml.safe_load((DEPLOY / "prometheus" / "prometheus.yml").read_text())["global"]
    assert source["jsonData"]["timeInterval"] == scraped["scrape_interval"]


@pytest.mark.parametrize(
    ("expression", "metrics"),
    [
        ("up", {"up"}),
        ('time() - a_seconds{task=~"x_y|by (z)"} > 3e2', {"a_seconds"}),
        (
            'sum by (le, of) (rate(b_total{x="}"}[5m])) > bool 0 or avg without (q)(c{}) offset 5m',
            {"b_total", "c"},
        ),
        ("histogram_quantile(0.95, sum by (le) (rate(d_bucket[1m]))) and on (x) e:f", {"d_bucket", "e:f"}),
        ("changes(g[15m]) == 0 unless h / ignoring (i) group_left (j) k", {"g", "h", "k"}),
    ],
)
def test_the_metrics_of_an_expression_are_found(expression, metrics):
    assert metrics_of(expression) == metrics
