"""A call is answered as of the state and the second in which it is asked, however often it was before."""

from typing import Any

import pytest
from eth.vm.forks.prague.state import PragueState

from services.chain.embedded.evm import Ledger
from services.chain.errors import RpcError

RETURN_IT = "60005260206000f3"
TIMESTAMP, NUMBER = f"0x42{RETURN_IT}", f"0x43{RETURN_IT}"
ACCOUNT = "0x" + "ab" * 20
BALANCE = f"0x73{ACCOUNT[2:]}31{RETURN_IT}"
REVERT = "0x60006000fd"


class Clock:
    """Stands until it is set."""

    now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def ledger(clock: Clock) -> Ledger:
    return Ledger(1337, clock, lambda: None)


def called(ledger: Ledger, code: str, **options: str) -> int:
    """What a program returns, asked twice."""
    first, second = (ledger.answer("eth_call", [{"data": code, **options}, "latest"]) for _ in range(2))
    assert first == second
    return int(first, 16)


def test_a_call_sees_the_second_in_which_it_is_made(ledger: Ledger, clock: Clock) -> None:
    clock.now += 10
    assert called(ledger, TIMESTAMP) == 1_000_010
    clock.now += 1
    assert called(ledger, TIMESTAMP) == 1_000_011


def test_a_call_sees_the_newest_block_within_the_same_second(ledger: Ledger) -> None:
    before = called(ledger, NUMBER)
    ledger.answer("evm_mine", [])
    assert called(ledger, NUMBER) == before + 1


def test_a_call_sees_ether_that_came_without_a_block(ledger: Ledger) -> None:
    assert called(ledger, BALANCE) == 0
    ledger.answer("anvil_setBalance", [ACCOUNT, hex(7)])
    assert called(ledger, BALANCE) == 7


def test_calls_of_others_and_other_calls_are_told_apart(ledger: Ledger) -> None:
    caller = f"0x33{RETURN_IT}"
    assert called(ledger, caller, **{"from": ACCOUNT}) == int(ACCOUNT, 16)
    assert called(ledger, caller) == 0
    assert called(ledger, NUMBER) == 1


def test_a_call_that_fails_fails_again(ledger: Ledger) -> None:
    for _ in range(2):
        with pytest.raises(RpcError, match="reverted"):
            ledger.answer("eth_call", [{"data": REVERT}, "latest"])


def test_a_repeated_call_is_not_run_again(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    runs: list[Any] = []
    run = PragueState.apply_transaction

    def counted(state: Any, transaction: Any) -> Any:
        runs.append(transaction)
        return run(state, transaction)

    monkeypatch.setattr(PragueState, "apply_transaction", counted)
    called(ledger, NUMBER)
    assert len(runs) == 1
