"""The demo of a market whose rounds are checked: the model of the plain twin, and everybody paid."""

import numpy as np
import pytest

from protocol.errors import MisuseError
from services.data.samples import diabetes
from services.sandbox.demo import DemoOptions, run_demo


def test_a_checked_market_ends_in_the_plain_model_and_withdrawn_pay(tmp_path):
    _names, rows = diabetes()
    file = tmp_path / "rows.csv"
    np.savetxt(file, rows[:, [2, 3, -1]], delimiter=",", header="bmi,bp,target", comments="")
    options = DemoOptions(data=file, rounds=1, owners=4, key_bits=1024, workers=0, checked=True)
    report = run_demo(options, lambda _text, _event: None)
    assert report.weights_max_abs_error < 1e-6
    assert int(report.deposit_wei) == sum(map(int, report.paid_wei.values())) + int(report.refund_wei)


def test_raw_columns_are_refused_with_the_remedy_before_anything_starts():
    options = DemoOptions(thesis=True, checked=True)
    with pytest.raises(MisuseError, match="leave out --thesis"):
        run_demo(options, lambda _text, _event: None)
