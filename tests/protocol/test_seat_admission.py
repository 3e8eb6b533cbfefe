"""The admission's EIP-712 digest, with eth_account as the oracle."""

from typing import Any

from eth_account.messages import _hash_eip191_message, encode_typed_data
from hypothesis import given
from hypothesis import strategies as st

from protocol.records import Market
from protocol.seat_admission import SeatAdmission
from tests.protocol.test_records import MARKETS
from tests.protocol.test_records import TYPES as RECORD_TYPES

TYPES = {
    "EIP712Domain": RECORD_TYPES["EIP712Domain"],
    "Admission": [
        {"name": "trainingId", "type": "uint256"},
        {"name": "owner", "type": "address"},
        {"name": "requestHash", "type": "bytes32"},
        {"name": "commitment", "type": "bytes32"},
    ],
}
DIGESTS = st.binary(min_size=32, max_size=32)
ADMISSIONS = st.builds(
    SeatAdmission,
    training=st.integers(0, (1 << 63) - 1),
    owner=st.binary(min_size=20, max_size=20).map(lambda b: "0x" + b.hex()),
    request_hash=DIGESTS,
    commitment=DIGESTS,
)


@given(ADMISSIONS, MARKETS)
def test_the_digest_is_that_of_eip_712(admission: SeatAdmission, market: Market) -> None:
    document: dict[str, Any] = {
        "types": TYPES,
        "primaryType": "Admission",
        "domain": {
            "name": "DeltaML Marketplace",
            "version": "2",
            "chainId": market.chain_id,
            "verifyingContract": market.contract,
        },
        "message": {
            "trainingId": admission.training,
            "owner": admission.owner,
            "requestHash": admission.request_hash,
            "commitment": admission.commitment,
        },
    }
    assert admission.digest(market) == _hash_eip191_message(encode_typed_data(full_message=document))
