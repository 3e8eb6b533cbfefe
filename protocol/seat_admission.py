"""Who may take a seat: what buyer and aggregator sign for an owner.

An owner joins with both signatures, as the contract's terms ask (`Terms.admission`). An admission names the
training with the hash of its request, the owner and its commitment, and holds in one market: nobody else can
use it, for nothing else.
"""

from typing import Literal

from protocol.records import Market, address_word, number_word
from protocol.types import Address, Digest, FrozenModel, TrainingId

AdmittedBy = Literal["both", "buyer", "aggregator"]
"""Whose signature an owner needs to join, in the order of the contract's enumeration.

Nobody's is not among them: then a stranger could fill the seats, and the draw with them.
"""

_ADMISSION_TYPE = b"Admission(uint256 trainingId,address owner,bytes32 requestHash,bytes32 commitment)"


class SeatAdmission(FrozenModel):
    """What is signed for an owner; `request_hash` is the one on chain, of the request and the buyer's key."""

    training: TrainingId
    owner: Address
    request_hash: Digest
    commitment: Digest

    def digest(self, market: Market) -> bytes:
        """The EIP-712 digest that aggregator and buyer sign and the contract recovers signers from."""
        return market.typed_digest(
            _ADMISSION_TYPE,
            number_word(self.training),
            address_word(self.owner),
            self.request_hash,
            self.commitment,
        )
