"""Several classes: one training each, of this class against all others, and one classifier of all models."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from deltaml.arrow_tables import Table
from deltaml.requests import Document, request_of
from deltaml.simulation import Simulation, simulate
from protocol.asset import MARKET_ASSET
from protocol.errors import MisuseError
from protocol.request import Request
from protocol.request_sections import DEFAULT_KIND
from services.common.documents import read_yaml
from services.data.request_suggestion import NOBODY

if TYPE_CHECKING:
    from deltaml.class_predictions import BoughtClasses

FEWEST_CLASSES = 3
"""Two are told apart by one training."""
_KIND = "binary_classification"


def class_requests(request: Document, shares: Mapping[str, float]) -> dict[str, Request]:
    """A request for each class, by class: what a buyer orders side by side, each with a deposit of its own.

    `request` has a target without a range, `{"name": "grower"}`, which holds texts in the owners' rows; of a
    target with more its name counts. `shares` are the classes, three at least, with the share of rows that
    the buyer expects of each. Its kind is binary_classification, also where it is linear_regression, which
    requests are by default, unless it says logistic_regression; its name gets the class after a colon. All
    other fields, the deposit too, are those of every one of the requests: the price is as many deposits as
    there are classes (`price_of`), and so are the rounds that owners take part in.

    Raises MisuseError for fewer classes, and for what no request may be; ConfigurationError for a file.

    >>> import deltaml
    >>> wines = {
    ...     "name": "wines",
    ...     "features": [{"name": "alcohol", "minimum": 10, "maximum": 15}],
    ...     "target": {"name": "grower"},
    ...     "payment": {"deposit_wei": str(10**18)},
    ...     "aggregator": "0x" + "0" * 39 + "1",
    ... }
    >>> requests = deltaml.class_requests(wines, {"Rossi": 0.4, "Bianchi": 0.35, "Verdi": 0.25})
    >>> requests["Rossi"].name, requests["Rossi"].target.level
    ('wines: Rossi', 'Rossi')
    >>> deltaml.price_of(requests)
    3000000000000000000
    """
    if len(shares) < FEWEST_CLASSES:
        raise MisuseError(f"{len(shares)} classes; one training tells two apart, so name three at least")
    fields = _fields(request)
    target = {"name": _section(fields, "target").get("name"), "kind": "boolean"}
    model = _section(fields, "model")
    kind = _KIND if model.get("kind", DEFAULT_KIND) == DEFAULT_KIND else model["kind"]
    return {
        level: request_of(
            {
                **fields,
                **({"name": f"{fields['name']}: {level}"} if "name" in fields else {}),
                "model": {**model, "kind": kind},
                "target": {**target, "level": level},
                "start": {"start": "mean", "value": str(share)},
            }
        )
        for level, share in shares.items()
    }


def price_of(requests: Mapping[str, Request]) -> int:
    """What ordering all of them takes from the buyer, in smallest units: deposits, and its bonds if any."""
    return sum(request.payment.buyer_pays for request in requests.values())


def _section(fields: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """Of a document that nobody has checked; raises MisuseError for what has no fields."""
    section = fields.get(name, {})
    if not isinstance(section, Mapping):
        raise MisuseError(f"{name} is {str(section)[:60]!r}; it must hold fields")
    return section


def _fields(request: Document) -> dict[str, Any]:
    """As they are written: with a target for several classes a file is no request by itself."""
    match request:
        case Request():
            return request.model_dump(mode="json")
        case Mapping():
            return dict(request)
        case _:
            return read_yaml(os.fspath(request))


@dataclass(frozen=True)
class ClassSimulation:
    """A simulated training of each class, by class."""

    trainings: Mapping[str, Simulation]

    @property
    def model(self) -> "BoughtClasses":
        """What the buyer holds now, as a scikit-learn classifier; needs the extra `deltaml[python]`."""
        from deltaml.class_predictions import BoughtClasses  # noqa: PLC0415

        return BoughtClasses({level: one.bought for level, one in self.trainings.items()})

    @property
    def payments(self) -> dict[str, int]:
        """What each owner earned in all of them together, by table, in wei."""
        earned: dict[str, int] = {}
        for one in self.trainings.values():
            for name, pay in one.payments.items():
                earned[name] = earned.get(name, 0) + pay
        return earned


def simulate_classes(
    request: Document,
    tables: Mapping[str, Table],
    shares: Mapping[str, float],
    *,
    key_bits: int | None = None,
    workers: int = 0,
) -> ClassSimulation:
    """As `simulate`, a training of each class after the other; see `class_requests`.

    Raises as `simulate`, and MisuseError for fewer than three classes.
    """
    fields = _with_market(request)
    requests = class_requests(fields, shares)
    return ClassSimulation(
        {level: simulate(one, tables, key_bits=key_bits, workers=workers) for level, one in requests.items()}
    )


def _with_market(request: Document) -> dict[str, Any]:
    """A simulation's own aggregator and deposit, where a document has none."""
    return {"aggregator": NOBODY, "payment": {"deposit_wei": str(MARKET_ASSET.whole)}, **_fields(request)}
