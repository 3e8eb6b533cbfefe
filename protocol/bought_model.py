"""The model as its buyer holds it: weights by the names of the features."""

from protocol.request import Request
from protocol.types import FrozenModel


class BoughtModel(FrozenModel):
    """What the buyer paid for: weights by feature, the intercept apart."""

    name: str
    features: tuple[str, ...]
    target: str
    weights: tuple[float, ...]
    intercept: float | None

    @property
    def kind(self) -> str:
        """The kind of model: the only one whose models can be bought so far, so that none is written down."""
        return "linear_regression"

    @classmethod
    def of(cls, request: Request, weights: list[float]) -> "BoughtModel":
        """Name the weights by the request's features."""
        intercept = weights.pop() if request.model.intercept else None
        return cls(
            name=request.name,
            features=tuple(column.name for column in request.features),
            target=request.target.name,
            weights=tuple(weights),
            intercept=intercept,
        )
