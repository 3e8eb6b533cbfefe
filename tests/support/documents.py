"""A request document as a person writes it, for tests that need any valid one."""

from typing import Any

from protocol.request import Request, parse_request

AGGREGATOR = "0x" + "ab" * 20


def request_content(**changes: Any) -> dict[str, Any]:
    """The plain content of a small request; `changes` replace whole fields."""
    return {
        "name": "Disease progression",
        "features": [
            {"name": "age", "minimum": 0, "maximum": 120},
            {"name": "bmi", "minimum": 10.5, "maximum": "80"},
        ],
        "target": {"name": "progression", "minimum": 0, "maximum": 400},
        "schedule": {"rounds": 20, "local_steps": 5, "step_size": 0.5},
        "start": {"start": "mean", "value": 152.13},
        "payment": {"deposit_wei": 10**18},
        "aggregator": AGGREGATOR,
        **changes,
    }


def any_request(**changes: Any) -> Request:
    """The request of `request_content`."""
    return parse_request(request_content(**changes))
