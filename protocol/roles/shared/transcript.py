"""Where the chain of opened rounds stands: the next record continues it."""

from protocol.learning.shapley import mse_after_fixed
from protocol.records import RoundRecord
from protocol.types import BigInteger, Digest, FrozenModel, RoundNumber, Seats


class TranscriptHead(FrozenModel):
    """Where the chain of opened rounds stands: the next record continues it."""

    round: RoundNumber = 0
    mse_after: BigInteger = 0
    best: BigInteger = 0
    validators: Seats = 0
    model_digest: Digest
    transcript: Digest

    def next(self, record: RoundRecord) -> "TranscriptHead":
        """The chain after `record`."""
        after = mse_after_fixed(record.cross, len(record.own))
        return TranscriptHead(
            round=record.round,
            mse_after=after,
            best=min(self.best, after) if self.round else min(record.mse_before, after),
            validators=record.validators,
            model_digest=record.model_digest,
            transcript=record.transcript_digest,
        )

    def measures_start(self, validators: int) -> bool:
        """Whether the next round measures the model it starts from.

        Only in the first round and for a new set of validators: otherwise v₀ is already public, and whoever
        can predict an opened number can hide another one in it.
        """
        return self.round == 0 or validators != self.validators
