"""The kinds of models there are, by the name that a request gives them."""

from collections.abc import Mapping

from protocol.learning.kinds.binary_classification import BinaryClassification
from protocol.learning.kinds.generalized_linear import GeneralizedLinear
from protocol.learning.kinds.interface import Kind
from protocol.learning.kinds.linear_regression import LinearRegression
from protocol.links import LINKS
from protocol.request import Request

KINDS: Mapping[str, Kind] = {
    "linear_regression": LinearRegression(),
    "binary_classification": BinaryClassification(),
    **{name: GeneralizedLinear(name) for name in LINKS},
}


def kind_of(request: Request) -> Kind:
    """The kind of model that a request asks for."""
    return KINDS[request.model.kind]
