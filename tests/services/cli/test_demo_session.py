"""What a demo tells of a training on a terminal."""

from pathlib import Path

import pytest

from protocol.messages.chain import ChainEvent
from services.cli.demo_session import Narrator, _show_files, _show_report
from services.data.sample_request import DemoOptions
from services.records.convergence import convergence
from services.sandbox.report import DemoReport
from tests.support.console.trainings import round_of
from tests.support.deployment.documents import any_request


@pytest.mark.parametrize(
    ("number", "last", "end"),
    [
        (1, False, ""),
        (2, True, "; the last, it gained less than the tolerance"),
        (5, True, ""),
    ],
)
def test_a_round_is_told_with_what_it_left_of_the_error_and_why_no_other_follows(capsys, number, last, end):
    event = ChainEvent(
        event=round_of(1, number, last=last),
        chain_id=1,
        block_number=1,
        block_hash=bytes(32),
        transaction_hash=bytes(32),
        log_index=0,
        timestamp=1_800_000_000,
    )
    Narrator(DemoOptions()).tell("", event)
    said = f"round   {number} of at most 5: 90.00% of the error before is left{end}\n"
    assert capsys.readouterr().out == said


FIGURES = {
    "mse_initial": 100.0,
    "mse_final": 40.0,
    "mse_plaintext_same_schedule": 40.0,
    "mse_pooled_ols": 30.0,
    "weights_max_abs_error": 0.0,
    "rounds": 2,
    "local_steps": 5,
    "key_bits": 2048,
    "paid_wei": {},
    "refund_wei": "1",
    "deposit_wei": "1",
    "seconds_by_phase": {},
    "seconds_total": 1.0,
    "messages_on_bus": 1,
    "bytes_on_bus": 1,
    "model_file": None,
    "convergence": None,
}


def test_the_summary_says_whether_the_model_has_converged(capsys):
    request = any_request(schedule={"rounds": 2, "step_size": 1})
    told = convergence(request, [100, 60, 40], last=True, over=True)
    _show_report(DemoReport.model_construct(**FIGURES | {"convergence": told}))
    shown = " ".join(capsys.readouterr().out.split())
    assert "the last still improved the error by 33.3 %; another might bring about 25 %" in shown


def test_the_summary_tells_the_pay_exactly_in_ether_on_lines_of_a_terminal(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    owner, aggregator = f"0x{'Ab' * 20}", f"0x{'cd' * 20}"
    figures = {
        "deposit_wei": str(5 * 10**17),
        "paid_wei": {owner: "94381250000000001", aggregator: str(10**17)},
        "refund_wei": str(305618749999999999),
        "roles": {owner: "trainer"},
        "contributions": {owner: 1.0},
    }
    _show_report(DemoReport.model_construct(**FIGURES | figures))
    shown = capsys.readouterr().out
    assert "deposit 0.5 ETH = paid + refunded" in shown
    cells = [[cell.strip() for cell in line.strip("│").split("│")] for line in shown.splitlines()]
    assert ["trainer", "100.0%", "0.094381250000000001"] in cells
    assert ["aggregator", "", "0.100000000000000000"] in cells
    assert ["refund to the buyer", "", "0.305618749999999999"] in cells
    assert [owner, "", ""] in cells
    assert [aggregator, "", ""] in cells
    assert max(map(len, shown.splitlines())) <= 80
    _show_report(DemoReport.model_construct(**FIGURES | figures), wei=True)
    in_wei = capsys.readouterr().out
    assert "deposit 500000000000000000 wei = paid + refunded" in in_wei
    assert " 94381250000000001 " in in_wei


def test_the_files_that_were_kept_are_named_last(capsys):
    _show_files(DemoOptions(model_out=Path("m.json"), card=Path("c.html"), folder=Path("stores")))
    assert capsys.readouterr().out == "model: m.json\ncard: c.html\nstores: stores\n"
