"""The model as its buyer holds it: weights by the names of the features."""

from typing import Self

from pydantic import model_validator

from protocol.request import Request
from protocol.scaling import to_own_units
from protocol.types import FrozenModel


class Range(FrozenModel):
    """From where to where a column's values were declared to lie."""

    minimum: float
    maximum: float


class BoughtModel(FrozenModel):
    """What the buyer paid for: weights by feature, the intercept apart, in the columns' own units.

    `ranges` are the features', in which the model was trained; empty in files of earlier versions.
    """

    name: str
    features: tuple[str, ...]
    target: str
    weights: tuple[float, ...]
    intercept: float | None
    ranges: tuple[Range, ...] = ()

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if len(self.ranges) not in (0, len(self.features)):
            raise ValueError("as many ranges as features are needed, or none")
        return self

    @property
    def kind(self) -> str:
        """The kind of model: the only one whose models can be bought so far, so that none is written down."""
        return "linear_regression"

    @classmethod
    def of(cls, request: Request, weights: list[float]) -> "BoughtModel":
        """Name the weights, between scaled columns and the intercept last, by the request's features."""
        weights = to_own_units(weights, request.scalings())
        intercept = weights.pop() if request.model.intercept else None
        return cls(
            name=request.name,
            features=tuple(column.name for column in request.features),
            target=request.target.name,
            weights=tuple(weights),
            intercept=intercept,
            ranges=tuple(
                Range(minimum=float(column.minimum), maximum=float(column.maximum))
                for column in request.features
            ),
        )
