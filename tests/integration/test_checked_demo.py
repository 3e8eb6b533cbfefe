"""The demo of a market whose rounds are checked: the model of the plain twin, and everybody paid."""

from contextlib import closing

import numpy as np
import pytest

from protocol.codec import unpack
from protocol.envelope import SignedMessage
from protocol.errors import MisuseError
from protocol.verification.transcript import Header
from protocol.verification.verify import verify_entries
from services.data.samples import diabetes
from services.records.transcripts import kept_entries
from services.sandbox.demo import DemoOptions, run_demo
from services.store import Store

CHAIN_ID = 1337
ROLES = {"model_buyer", "federated_aggregator", "data_owner"}


def test_a_checked_market_ends_in_the_plain_model_and_withdrawn_pay(tmp_path):
    _names, rows = diabetes()
    file = tmp_path / "rows.csv"
    np.savetxt(file, rows[:, [2, 3, -1]], delimiter=",", header="bmi,bp,target", comments="")
    size = {"rounds": 1, "owners": 4, "key_bits": 1024, "workers": 0}
    options = DemoOptions(data=file, checked=True, folder=tmp_path, **size)
    report = run_demo(options, lambda _text, _event: None)
    assert report.weights_max_abs_error < 1e-6
    assert int(report.deposit_wei) == sum(map(int, report.paid_wei.values())) + int(report.refund_wei)
    assert {verified(path).role for path in stores(tmp_path)} == ROLES


def stores(folder):
    """Those of the parties."""
    return [path for path in folder.glob("*.sqlite") if not path.name.startswith("chain_listener")]


def verified(path):
    """The report of what a party's store keeps, without anything that differs."""
    with closing(Store(f"sqlite:///{path}", existing=True)) as store:
        (instance,) = store.instances()
        entries = kept_entries(store, instance, CHAIN_ID)
    role = path.name.partition("-")[0]
    of_others = next(unpack(SignedMessage, one.content) for one in entries if one.kind == "received").envelope
    header = Header(
        chain_id=CHAIN_ID, contract=of_others.contract, training=1, role=role, party=of_others.recipient
    )
    report = verify_entries(header, entries, header.market, b"\x07" * 32, training=1)
    assert report.failure is None
    return report


def test_raw_columns_are_refused_with_the_remedy_before_anything_starts():
    options = DemoOptions(thesis=True, checked=True)
    with pytest.raises(MisuseError, match="leave out --thesis"):
        run_demo(options, lambda _text, _event: None)
