"""Transactions as bytes."""

import os

from eth_account import Account
from hypothesis import given
from hypothesis import strategies as st

from protocol.signatures import address_of
from services.chain.transactions.pending import Fees, Transaction


@given(
    st.integers(0, 2**40), st.integers(0, 2**90), st.binary(max_size=80), st.integers(0, 2**40), st.booleans()
)
def test_transactions_are_signed_as_a_wallet_signs_them(nonce, value, data, fee, creates) -> None:
    key = os.urandom(32)
    recipient = None if creates else "0x" + "ab" * 20
    ours = Transaction(31337, nonce, recipient, value, data, 21_000, Fees(fee + 5, 5)).sign(key)
    fields = {
        "type": 2,
        "chainId": 31337,
        "nonce": nonce,
        "to": bytes.fromhex(recipient[2:]) if recipient else b"",
        "value": value,
        "data": data,
        "gas": 21_000,
        "maxFeePerGas": fee + 5,
        "maxPriorityFeePerGas": 5,
    }
    theirs = Account.sign_transaction(fields, key)
    assert ours.raw_transaction == theirs.raw_transaction
    assert ours.hash == theirs.hash
    assert Account.recover_transaction(ours.raw_transaction).lower() == address_of(key)


def test_raised_fees_are_enough_for_a_replacement() -> None:
    """Nodes ask for 10 % more of both."""
    for most, tip in ((0, 0), (1, 1), (10, 1), (500 * 10**9, 10**9)):
        fees = Fees(most, tip).raised()
        assert fees.most * 10 >= most * 11
        assert fees.tip * 10 >= tip * 11
