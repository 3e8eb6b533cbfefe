"""Nothing of an owner's rows is in the repr of what holds them while a model is fitted."""

import numpy as np
import pytest

from protocol.learning.glm.fitting import _Pass
from protocol.learning.glm.partial_likelihood import Expansion, Risks
from protocol.learning.plaintext import OwnerData
from protocol.preparation.tables import Texts

SECRET = np.array([[7135.25]])


@pytest.mark.parametrize(
    "holder",
    [
        Risks(SECRET, SECRET[0], np.array([7135])),
        Expansion(7135.25, SECRET[0], SECRET),
        _Pass(SECRET, SECRET, 7135.25, 1),
        OwnerData(SECRET, 1),
        Texts(np.array([0]), ("7135",)),
    ],
)
def test_no_value_of_a_row_is_in_a_repr(holder: object) -> None:
    assert "7135" not in repr(holder)
