"""A request document as a person writes it and a record, for tests that need any valid one."""

from typing import Any

from protocol.records import RoundRecord
from protocol.request import Request
from protocol.request_parsing import parse_request

AGGREGATOR = "0x" + "ab" * 20
KEY_ID = b"k" * 32
RECORD = RoundRecord(
    training=1,
    round=2,
    last=False,
    trainers=0b111,
    validators=0b11000,
    mse_before=3 * 10**21,
    own=(10**21, 2 * 10**21, 5),
    cross=(-(10**21), 0, 7),
    model_digest=b"m" * 32,
    delivered_digest=b"m" * 32,
    transcript_digest=b"t" * 32,
)


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
