"""Parties of this minor version and of the next train together, whichever of them are ahead.

`make test` has those ahead whom all others hear. Buyers and owners, too: DELTAML_ALL_VERSIONS=1, as
`make campaigns` does.
"""

import os
from decimal import Decimal

import numpy as np
import pytest

from services.sandbox.demo import DemoOptions
from tests.support.daemons import watched_demo as watched_module
from tests.support.daemons.next_minor import VERSION, NextMinorMarket
from tests.support.daemons.watched_demo import naive_training, watched_demo

ALL = "DELTAML_ALL_VERSIONS" in os.environ
AHEAD = ["federated_aggregator", *(["data_owner", "model_buyer"] if ALL else [])]


@pytest.mark.parametrize("ahead", AHEAD)
def test_a_training_in_which_some_are_a_minor_version_ahead(ahead, monkeypatch):
    monkeypatch.setattr(watched_module, "WatchedMarket", NextMinorMarket)
    monkeypatch.setattr(NextMinorMarket, "ahead", ahead)
    ran = watched_demo(
        DemoOptions(
            key_bits=1024, owners=4, thesis=True, rounds=1, local_steps=5, step_size=Decimal("1.5"), workers=0
        )
    )
    versions = {(m.envelope.version == VERSION) for m in ran.wire}
    assert versions == {True, False}
    _, errors = naive_training(ran, np.zeros(11))
    assert ran.report.weights_max_abs_error < 1e-6
    assert ran.report.mse_by_round == pytest.approx(errors, rel=1e-5)
    assert {row.display_status for row in ran.instances} <= {"FINISHED"}
    letters = ran.market.broker.dead_letters
    assert {letter.code for letter in letters} == {"unknown_type"}
    parties = len(ran.market.parties)
    assert len(letters) == (parties - 1) * (parties - 2 if ahead == "data_owner" else 1)
