"""Which metrics an expression names, and which expressions dashboards and alerts have."""

import json
import re
from pathlib import Path
from typing import Any

import yaml

DEPLOY = Path(__file__).parents[3] / "deploy"
DASHBOARDS = sorted((DEPLOY / "grafana" / "dashboards").glob("*.json"))
ALERTS = DEPLOY / "prometheus" / "alerts.yml"

_TEXT = re.compile(r'"(?:[^"\\]|\\.)*"')
_LABELS = re.compile(r"\{[^}]*\}|\b(?:by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)|\[[^\]]*\]")
_NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*(?!\w)(?!\s*\()")
_WORDS = {"and", "or", "unless", "bool", "offset", "atan2", "inf", "nan"}
_NUMBER = re.compile(r"\b[0-9.]+(?:e[+-]?[0-9]+|ms|[smhdwy])?\b", re.IGNORECASE)


def metrics_of(expression: str) -> set[str]:
    """The metrics that a PromQL expression reads: names that are no function, label, keyword or text."""
    bare = _NUMBER.sub(" ", _LABELS.sub(" ", _TEXT.sub('""', expression)))
    return set(_NAME.findall(bare)) - _WORDS


def asked(expression: str) -> str:
    """A panel's expression with Grafana's variables filled in as it does."""
    filled = expression.replace("$__rate_interval", "1m").replace("$__range", "1h").replace("$instance", ".+")
    assert "$" not in filled, f"{expression} has a variable that nobody fills in"
    return filled


def dashboards() -> dict[str, Any]:
    """Each dashboard by its file's name."""
    return {path.stem: json.loads(path.read_text()) for path in DASHBOARDS}


def panel_expressions() -> list[tuple[str, str]]:
    """(dashboard and panel, expression) of every query, variables of dashboards included."""
    found = []
    for name, dashboard in dashboards().items():
        for panel in dashboard["panels"]:
            found += [(f"{name}: {panel['title']}", asked(one["expr"])) for one in panel["targets"]]
        for variable in dashboard["templating"]["list"]:
            if variable["type"] == "query":
                (metric,) = re.findall(r"label_values\((\w+), \w+\)", variable["query"]["query"])
                found.append((f"{name}: ${variable['name']}", metric))
    return found


def alert_rules() -> list[dict[str, Any]]:
    """Every alert's rule."""
    return [rule for group in yaml.safe_load(ALERTS.read_text())["groups"] for rule in group["rules"]]
