"""The round's record that the contract pays by, and its EIP-712 digest, which buyer and validators sign."""

from functools import lru_cache
from typing import Annotated

from eth_hash.auto import keccak
from pydantic import Field

from protocol.types import Address, BigInteger, Digest, FrozenModel, RoundNumber, Seats, TrainingId

FIXED_POINT = 10**18
"""Metrics on chain are target² in fixed point × 1e18."""

METRIC_BOUND = 1 << 128
"""The contract takes metrics below this alone; so must be the error that is left (`payment.error_left`)."""

_DOMAIN_TYPE = b"EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
_RECORD_TYPE = (
    b"RoundRecord(uint256 trainingId,uint16 round,bool last,uint256 trainers,uint256 validators,"
    b"uint256 mseBefore,uint256[] own,int256[] cross,bytes32 modelDigest,bytes32 deliveredDigest,"
    b"bytes32 transcriptDigest)"
)

Metric = Annotated[BigInteger, Field(ge=0, lt=1 << 255)]
SignedMetric = Annotated[BigInteger, Field(gt=-(1 << 255), lt=1 << 255)]


class Market(FrozenModel):
    """Which contract on which chain; signatures for one market say nothing in another."""

    chain_id: Annotated[int, Field(ge=1, lt=1 << 63)]
    contract: Address

    def domain_separator(self) -> bytes:
        """The EIP-712 domain separator of this market."""
        return _domain_separator(self.chain_id, self.contract)

    def typed_digest(self, struct_type: bytes, *words: bytes) -> bytes:
        """The EIP-712 digest of a struct of this encoded type, whose fields are these words of 32 bytes."""
        struct = keccak(keccak(struct_type) + b"".join(words))
        return keccak(b"\x19\x01" + self.domain_separator() + struct)


@lru_cache(maxsize=8)
def _domain_separator(chain_id: int, contract: str) -> bytes:
    """Kept, since every signature of a market has it in its digest."""
    return keccak(
        keccak(_DOMAIN_TYPE)
        + keccak(b"DeltaML Marketplace")
        + keccak(b"2")
        + number_word(chain_id)
        + address_word(contract)
    )


class RoundRecord(FrozenModel):
    """The numbers of one round; own[i] and cross[i] belong to the i-th set bit of `trainers`.

    `delivered_digest` is of the model that is delivered if no round follows: this one's or an earlier one's.
    """

    training: TrainingId
    round: RoundNumber
    last: bool
    trainers: Seats
    validators: Seats
    mse_before: Metric
    own: Annotated[tuple[Metric, ...], Field(max_length=256)]
    cross: Annotated[tuple[SignedMetric, ...], Field(max_length=256)]
    model_digest: Digest
    delivered_digest: Digest
    transcript_digest: Digest

    @property
    def delivers(self) -> bool:
        """Whether this round's own model is the one to deliver if no round follows."""
        return self.delivered_digest == self.model_digest

    def digest(self, market: Market) -> bytes:
        """The EIP-712 digest that buyer and validators sign and the contract recovers signers from."""
        return market.typed_digest(
            _RECORD_TYPE,
            number_word(self.training),
            number_word(self.round),
            number_word(int(self.last)),
            number_word(self.trainers),
            number_word(self.validators),
            number_word(self.mse_before),
            keccak(b"".join(map(number_word, self.own))),
            keccak(b"".join(map(number_word, self.cross))),
            self.model_digest,
            self.delivered_digest,
            self.transcript_digest,
        )


def number_word(value: int) -> bytes:
    """An integer as the contract's ABI encodes it: 32 bytes, negative ones in two's complement."""
    return (value % (1 << 256)).to_bytes(32, "big")


def address_word(address: str) -> bytes:
    """An address as the contract's ABI encodes it."""
    return bytes.fromhex(address[2:]).rjust(32, b"\0")
