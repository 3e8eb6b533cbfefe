"""The kinds of models there are, by the name that a request gives them."""

from collections.abc import Mapping

from protocol.learning.kinds.binary_classification import BinaryClassification
from protocol.learning.kinds.generalized_linear import GeneralizedLinear
from protocol.learning.kinds.interface import Kind
from protocol.learning.kinds.linear_regression import LinearRegression
from protocol.learning.kinds.proportional_hazards import ProportionalHazards
from protocol.learning.kinds.several_classes import SeveralClasses
from protocol.learning.kinds.several_targets import SeveralTargets
from protocol.links import LINKS
from protocol.request import Request

KINDS: Mapping[str, Kind] = {
    "linear_regression": LinearRegression(),
    "binary_classification": BinaryClassification(),
    "several_targets": SeveralTargets(),
    "several_classes": SeveralClasses(),
    **{name: GeneralizedLinear(name) for name in LINKS},
    "cox_regression": ProportionalHazards(),
}

_OF_CURVES: Mapping[str, Kind] = {
    **KINDS,
    "linear_regression": LinearRegression(reads_rows=True),
    "binary_classification": BinaryClassification(reads_rows=True),
    "several_targets": SeveralTargets(reads_rows=True),
    "several_classes": SeveralClasses(reads_rows=True),
}
"""The same for requests with a basis."""


def kind_of(request: Request) -> Kind:
    """The kind of model that a request asks for."""
    return (_OF_CURVES if request.basis else KINDS)[request.model.kind]
