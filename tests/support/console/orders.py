"""An order's form, filled in."""

from services.console.buyer.order_form import fresh
from tests.support.deployment.documents import AGGREGATOR

FILLED = {
    "name": "Disease",
    "aggregator": AGGREGATOR,
    "target-name": "progression",
    "target-minimum": "0",
    "target-maximum": "400",
    "feature-0-name": "age",
    "feature-0-minimum": "0",
    "feature-0-maximum": "120",
    "start_value": "150",
}
"""What a form of defaults lacks."""


def filled(**changes):
    """The inputs of a form that can be ordered."""
    return {**fresh(), **FILLED, **changes}
