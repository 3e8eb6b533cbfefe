"""What was joined before, and requests that ask for so much."""

from typing import Any

from protocol.codec import pack
from protocol.request import Request
from protocol.roles.owner.budget import Counts, Joining
from tests.support.deployment.documents import any_request

BUYER, OTHER = "0x" + "b1" * 20, "0x" + "b2" * 20


def joined(*trainings: tuple[str, str, int], pooled: int = 0) -> Counts:
    """(buyer, data set, numbers) of each; `pooled` of each whether it opened a sum for standard errors."""
    return Counts.of(
        pack(Joining(buyer=buyer, data_set=data_set, numbers=numbers, pooled=pooled))
        for buyer, data_set, numbers in trainings
    )


def asking(columns: int = 10, least: int = 4, most: int = 8, rounds: int = 5, **other: Any) -> Request:
    """Of so many numbers and owners."""
    return any_request(
        features=[{"name": f"x{i}", "minimum": "-1", "maximum": "1"} for i in range(columns)],
        owners={"minimum": least, "maximum": most},
        schedule={"rounds": rounds, "local_steps": 500},
        **other,
    )


def waves(number: int) -> list[dict[str, Any]]:
    """A basis that makes so many weights of one column."""
    return [{"kind": "fourier", "columns": ["x0"], "number": number}] if number else []
