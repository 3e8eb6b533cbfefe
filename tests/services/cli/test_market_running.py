"""What people are told of a market's processes that are not as they should be."""

import time
from pathlib import Path

from typer.testing import CliRunner

from services.admin.market_control import MarketControl
from services.admin.market_documents import MarketPlan
from services.admin.market_process import Condition, MarketProcess
from services.admin.market_record import MarketRecord
from services.cli import app

LATE = MarketProcess(
    "late",
    "data_owner",
    ("sleep", "60"),
    Path("/"),
    lambda: Condition("starting"),
    environment={"PATH": "/bin:/usr/bin"},
)


def test_one_that_is_not_well_in_time_is_told_with_its_log_and_what_to_do(tmp_path, monkeypatch):
    MarketRecord(plan=MarketPlan(tmp_path)).save()
    monkeypatch.setattr(MarketControl, "daemons", [LATE])
    try:
        started = CliRunner().invoke(app, ["admin", "market", "start", str(tmp_path), "--wait", "1"])
        assert started.exit_code == 3
        told = " ".join(started.stderr.split())
        assert "late is starting after 1 s, and runs on:" in told
        assert str(tmp_path / "logs" / "late.log") in told
        assert "--wait" in told
    finally:
        slot = MarketControl(tmp_path).slot("late")
        slot.terminate()
        until = time.monotonic() + 60
        while slot.pid() is not None and time.monotonic() < until:
            time.sleep(0.01)
