# ruff: noqa: INP001
"""What dashboards are made of, in Grafana's format: panels, figures, variables, queries."""

from typing import Any

SOURCE = {"type": "prometheus", "uid": "${datasource}"}
WIDTH = 24
Json = dict[str, Any]
PARTIES = r'{queue=~"deltaml\\.(model_buyer|data_owner|federated_aggregator)\\..*"}'
"""The queues that parties read, as a selector."""

Query = tuple[str, str]
"""An expression and the legend of its series."""


def panel(
    title: str,
    description: str,
    unit: str,
    *queries: Query,
    kind: str = "timeseries",
    width: int = 8,
    red_from: float | None = None,
    red_below: float | None = None,
) -> Json:
    """One panel; its figure is red from `red_from` on, or below `red_below`."""
    steps: list[Json] = [{"color": "green", "value": None}]
    if red_from is not None:
        steps.append({"color": "red", "value": red_from})
    if red_below is not None:
        steps = [{"color": "red", "value": None}, {"color": "green", "value": red_below}]
    options: Json = {"legend": {"displayMode": "list", "placement": "bottom"}, "tooltip": {"mode": "multi"}}
    if kind == "stat":
        options = {"reduceOptions": {"calcs": ["lastNotNull"]}, "colorMode": "background", "textMode": "auto"}
    return {
        "type": kind,
        "title": title,
        "description": description,
        "datasource": SOURCE,
        "fieldConfig": {
            "defaults": {"unit": unit, "thresholds": {"mode": "absolute", "steps": steps}},
            "overrides": [],
        },
        "options": options,
        "targets": [
            {"refId": chr(ord("A") + place), "datasource": SOURCE, "expr": expression, "legendFormat": legend}
            for place, (expression, legend) in enumerate(queries)
        ],
        "gridPos": {"w": width, "h": 4 if kind == "stat" else 8},
    }


def stat(title: str, description: str, unit: str, expression: str, **colours: float) -> Json:
    """One figure, four in a row."""
    return panel(title, description, unit, (expression, title), kind="stat", width=6, **colours)


def dashboard(uid: str, title: str, description: str, panels: list[Json], *variables: Json) -> Json:
    """A dashboard with its panels from left to right and from top to bottom."""
    x = y = height = 0
    for number, one in enumerate(panels, start=1):
        place = one["gridPos"]
        if x + place["w"] > WIDTH:
            x, y, height = 0, y + height, 0
        one["id"] = number
        place |= {"x": x, "y": y}
        x, height = x + place["w"], max(height, place["h"])
    source = {
        "name": "datasource",
        "label": "Prometheus",
        "type": "datasource",
        "query": "prometheus",
        "refresh": 1,
    }
    return {
        "uid": uid,
        "title": title,
        "description": description,
        "tags": ["deltaml"],
        "editable": False,
        "schemaVersion": 39,
        "version": 1,
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "timezone": "utc",
        "templating": {"list": [source, *variables]},
        "annotations": {"list": []},
        "panels": panels,
    }


def variable(name: str, label: str, query: str) -> Json:
    """A choice among a label's values; all of them at first."""
    return {
        "name": name,
        "label": label,
        "type": "query",
        "datasource": SOURCE,
        "query": {"query": query, "refId": name},
        "refresh": 2,
        "sort": 1,
        "multi": True,
        "includeAll": True,
        "allValue": ".+",
        "current": {"text": "All", "value": "$__all"},
    }


def rate(metric: str, by: str, matching: str = "") -> str:
    """Increase a second, summed by labels."""
    return f"sum by ({by}) (rate({metric}{matching}[$__rate_interval]))"


def troubles(facts: str) -> str:
    """How often a fact of a round that goes wrong was noted in the time shown, by its reason, or none."""
    noted = f'sum by (code) (increase(deltaml_round_troubles_total{{fact=~"{facts}"}}[$__range])) > 0'
    return f'{noted} or on() label_replace(vector(0), "code", "none", "", "")'


def quantiles(metric: str, matching: str = "", by: str = "") -> list[Query]:
    """Half of all, and nearly all, are below these."""
    labels = f"le, {by}" if by else "le"
    legend = f"{{{{{by}}}}} " if by else ""
    buckets = f"sum by ({labels}) (rate({metric}_bucket{matching}[$__rate_interval]))"
    return [
        (f"histogram_quantile({part}, {buckets})", f"{legend}{name}")
        for part, name in ((0.5, "median"), (0.95, "95 %"))
    ]
