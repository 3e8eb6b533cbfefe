"""Calls, records, terms and transactions as bytes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.errors import ProtocolViolation
from protocol.marketplace import Claim, Draw, Join, Open, RecordRound, Register, Reveal, Withdraw
from protocol.records import RoundRecord
from protocol.terms import ADMISSION_NAMES, NATIVE, Terms
from services.chain.contract.abi import event_topic, marketplace_codec
from services.chain.contract.codec import decode_log, encode_call, from_web3, terms_of

digests = st.binary(min_size=32, max_size=32)
addresses = st.binary(min_size=20, max_size=20).map(lambda raw: "0x" + raw.hex())
shares = st.integers(0, 10_000)
bonds = st.just(0) | st.integers(0, 2**128 - 1)
terms = st.builds(
    Terms,
    aggregator=addresses,
    request_hash=digests,
    rounds=st.integers(1, 10_000),
    min_owners=st.integers(4, 256),
    max_owners=st.integers(4, 256),
    contribution_bps=shares,
    participation_bps=shares,
    validation_bps=shares,
    aggregation_bps=shares,
    join_seconds=st.integers(1, 365 * 86_400),
    round_seconds=st.integers(1, 30 * 86_400),
    reveal_seconds=st.integers(1, 7 * 86_400),
    abandon_bps=st.integers(0, 1000),
    admission=st.sampled_from(ADMISSION_NAMES),
    token=addresses | st.just(NATIVE),
    owner_bond=bonds,
    aggregator_bond=bonds,
    buyer_bond=bonds,
    forfeit_to=addresses,
)
records = st.builds(
    RoundRecord,
    training=st.integers(0, 2**63 - 1),
    round=st.integers(0, 10_000),
    last=st.booleans(),
    trainers=st.integers(0, 2**256 - 1),
    validators=st.integers(0, 2**256 - 1),
    mse_before=st.integers(0, 2**255 - 1),
    own=st.lists(st.integers(0, 2**255 - 1), max_size=5).map(tuple),
    cross=st.lists(st.integers(1 - 2**255, 2**255 - 1), max_size=5).map(tuple),
    model_digest=digests,
    delivered_digest=digests,
    transcript_digest=digests,
)


def arguments_of(name, data):
    function, arguments = marketplace_codec().decode_function_input(data)
    assert function.fn_name == name
    return from_web3(tuple(arguments.values()))


@pytest.fixture(scope="module", autouse=True)
def web3_is_imported() -> None:
    """It raises the recursion limit, and Hypothesis warns of that within a test."""
    marketplace_codec()


@given(terms, st.integers(0, 2**128))
def test_terms_survive_the_trip_through_call_data(terms, deposit) -> None:
    data, value = encode_call(Open(terms=terms, deposit=deposit))
    assert value == (deposit + terms.buyer_bond if terms.token == NATIVE else 0)
    fields, told = arguments_of("open", data)
    assert (terms_of(tuple(fields.values())), told) == (terms, deposit)


@given(records, st.lists(st.binary(max_size=65), max_size=3).map(tuple))
def test_records_survive_the_trip_through_call_data(record, signatures) -> None:
    call = RecordRound(record=record, buyer_signature=b"b" * 65, validator_signatures=signatures)
    fields, buyer, validators = arguments_of("recordRound", encode_call(call)[0])
    assert (RoundRecord(**fields), buyer, validators) == (record, b"b" * 65, signatures)


def test_other_calls() -> None:
    data, value = encode_call(Register(role="data_owner", exchange_key=b"k" * 32))
    assert (arguments_of("register", data), value) == ((2, b"k" * 32), 0)
    signatures = {"aggregator_signature": b"a" * 65, "buyer_signature": b"b" * 65}
    join = Join(training=7, commitment=b"c" * 32, nonce_digest=b"d" * 32, **signatures)
    assert arguments_of("join", encode_call(join)[0]) == (7, b"c" * 32, b"d" * 32, b"a" * 65, b"b" * 65)
    assert arguments_of("reveal", encode_call(Reveal(training=7, nonce=b"n" * 32))[0]) == (7, b"n" * 32)
    assert arguments_of("draw", encode_call(Draw(training=7))[0]) == (7,)
    assert arguments_of("claim", encode_call(Claim(training=7))[0]) == (7,)
    assert arguments_of("withdraw", encode_call(Withdraw())[0]) == (NATIVE, "0x" + "0" * 40)
    other, token = "0x" + "ab" * 20, "0x" + "70" * 20
    assert arguments_of("withdraw", encode_call(Withdraw(to=other, token=token))[0]) == (token, other)


def withdrawn_log(**changes):
    return {
        "topics": [event_topic("Withdrawn"), *("0x" + name.rjust(64, "0") for name in ("aa", "bb", "cc"))],
        "data": "0x" + "05".rjust(64, "0"),
        "blockNumber": "0x10",
        "blockHash": "0x" + "1" * 64,
        "transactionHash": "0x" + "2" * 64,
        "logIndex": "0x3",
    } | changes


def test_logs_become_events() -> None:
    event = decode_log(withdrawn_log(), 1337, 99)
    assert event is not None
    assert (event.event.account, event.event.amount) == ("0x" + "aa".rjust(40, "0"), 5)
    assert event.event.to == "0x" + "bb".rjust(40, "0")
    assert (event.block_number, event.log_index, event.timestamp) == (16, 3, 99)
    assert decode_log(withdrawn_log(topics=["0x" + "9" * 64]), 1337, 99) is None
    assert decode_log(withdrawn_log(topics=[]), 1337, 99) is None


@pytest.mark.parametrize("change", [{"blockHash": "0x12"}, {"topics": None}, {"logIndex": hex(1 << 40)}])
def test_a_log_out_of_range_is_a_violation(change) -> None:
    if change.get("topics", "") is None:
        change = {"topics": withdrawn_log()["topics"][:1]}
    with pytest.raises(ProtocolViolation, match="malformed_log"):
        decode_log(withdrawn_log(**change), 1337, 99)
