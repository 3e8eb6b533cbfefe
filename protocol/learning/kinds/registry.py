"""The kinds of models there are, by the name that a request gives them."""

from collections.abc import Mapping

from protocol.learning.descent import require_stable
from protocol.learning.kinds.interface import Kind
from protocol.learning.kinds.linear_regression import LinearRegression
from protocol.learning.statistic import Statistic
from protocol.request import Request

KINDS: Mapping[str, Kind] = {"linear_regression": LinearRegression()}


def kind_of(request: Request) -> Kind:
    """The kind of model that a request asks for."""
    return KINDS[request.model.kind]


def check_step_size(request: Request, statistic: Statistic) -> None:
    """Raises StepSizeDiverges, with the bound, when the request's step size would diverge on these rows."""
    require_stable(float(request.schedule.step_size), kind_of(request).stable_step(request, statistic))
