"""A round's record and its EIP-712 digest, with eth_account as the oracle."""

from typing import Any

import pytest
from eth_account.messages import _hash_eip191_message, encode_typed_data
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from protocol.codec import pack, unpack
from protocol.records import Market, RoundRecord
from tests.support.deployment.documents import RECORD

TYPES = {
    "EIP712Domain": [
        {"name": "name", "type": "string"},
        {"name": "version", "type": "string"},
        {"name": "chainId", "type": "uint256"},
        {"name": "verifyingContract", "type": "address"},
    ],
    "RoundRecord": [
        {"name": "trainingId", "type": "uint256"},
        {"name": "round", "type": "uint16"},
        {"name": "last", "type": "bool"},
        {"name": "trainers", "type": "uint256"},
        {"name": "validators", "type": "uint256"},
        {"name": "mseBefore", "type": "uint256"},
        {"name": "own", "type": "uint256[]"},
        {"name": "cross", "type": "int256[]"},
        {"name": "modelDigest", "type": "bytes32"},
        {"name": "deliveredDigest", "type": "bytes32"},
        {"name": "transcriptDigest", "type": "bytes32"},
    ],
}
MARKET = Market(chain_id=1337, contract="0x" + "1f" * 20)

METRICS = st.integers(0, (1 << 255) - 1)
SIGNED = st.integers(-(1 << 255) + 1, (1 << 255) - 1)
SEATS = st.integers(0, (1 << 256) - 1)
RECORDS = st.builds(
    RoundRecord,
    training=st.integers(0, (1 << 63) - 1),
    round=st.integers(0, 10_000),
    last=st.booleans(),
    trainers=SEATS,
    validators=SEATS,
    mse_before=METRICS,
    own=st.lists(METRICS, max_size=4).map(tuple),
    cross=st.lists(SIGNED, max_size=4).map(tuple),
    model_digest=st.binary(min_size=32, max_size=32),
    delivered_digest=st.binary(min_size=32, max_size=32),
    transcript_digest=st.binary(min_size=32, max_size=32),
)
MARKETS = st.builds(
    Market,
    chain_id=st.integers(1, (1 << 63) - 1),
    contract=st.binary(min_size=20, max_size=20).map(lambda b: "0x" + b.hex()),
)


def oracle_digest(record: RoundRecord, market: Market) -> bytes:
    message = {
        "types": TYPES,
        "primaryType": "RoundRecord",
        "domain": {
            "name": "DeltaML Marketplace",
            "version": "2",
            "chainId": market.chain_id,
            "verifyingContract": market.contract,
        },
        "message": {
            "trainingId": record.training,
            "round": record.round,
            "last": record.last,
            "trainers": record.trainers,
            "validators": record.validators,
            "mseBefore": record.mse_before,
            "own": list(record.own),
            "cross": list(record.cross),
            "modelDigest": record.model_digest,
            "deliveredDigest": record.delivered_digest,
            "transcriptDigest": record.transcript_digest,
        },
    }
    return bytes(_hash_eip191_message(encode_typed_data(full_message=message)))


@settings(max_examples=50)
@given(RECORDS, MARKETS)
def test_the_digest_is_eip_712(record: RoundRecord, market: Market) -> None:
    assert record.digest(market) == oracle_digest(record, market)


@given(RECORDS)
def test_records_survive_the_wire(record: RoundRecord) -> None:
    assert unpack(RoundRecord, pack(record)) == record


CHANGES: dict[str, Any] = {
    "training": 2,
    "round": 3,
    "last": True,
    "trainers": 0b101,
    "validators": 0b10000,
    "mse_before": 3 * 10**21 + 1,
    "own": (10**21, 2 * 10**21, 6),
    "cross": (10**21, 0, 7),
    "model_digest": b"n" * 32,
    "delivered_digest": b"d" * 32,
    "transcript_digest": b"u" * 32,
}


def test_every_field_counts() -> None:
    assert set(CHANGES) == set(RoundRecord.model_fields)
    digests = {RECORD.digest(MARKET)}
    digests |= {RECORD.model_copy(update={name: value}).digest(MARKET) for name, value in CHANGES.items()}
    digests |= {RECORD.model_copy(update={"own": RECORD.own[:2], "cross": (5, *RECORD.cross)}).digest(MARKET)}
    assert len(digests) == len(CHANGES) + 2


def test_a_signature_counts_in_one_market_only() -> None:
    others = (
        Market(chain_id=1338, contract=MARKET.contract),
        Market(chain_id=1337, contract="0x" + "2f" * 20),
    )
    assert len({RECORD.digest(market) for market in (MARKET, *others)}) == 3


@pytest.mark.parametrize(
    "change",
    [
        {"mse_before": -1},
        {"mse_before": 1 << 255},
        {"own": (-1,)},
        {"cross": (1 << 255,)},
        {"cross": (-(1 << 255),)},
        {"round": 10_001},
        {"trainers": 1 << 256},
        {"model_digest": b"m" * 31},
    ],
)
def test_numbers_the_contract_cannot_hold_are_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        RoundRecord.model_validate({**RECORD.model_dump(), **change})
