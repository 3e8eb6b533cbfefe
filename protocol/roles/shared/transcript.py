"""Where the chain of opened rounds stands: the next record continues it."""

from protocol.learning.shapley import mse_after_fixed
from protocol.payment import error_left
from protocol.records import RoundRecord
from protocol.request_sections import Schedule
from protocol.types import BigInteger, Digest, FrozenModel, RoundNumber, Seats


class TranscriptHead(FrozenModel):
    """Where the chain of opened rounds stands: the next record continues it.

    `left` is what is left of the first error (`payment.error_left`), `delivered` the digest of the model to
    be delivered if no round follows, and `best` what was left after that model's round.
    """

    round: RoundNumber = 0
    mse_after: BigInteger = 0
    left: BigInteger = 0
    delivered: Digest | None = None
    best: BigInteger = 0
    validators: Seats = 0
    model_digest: Digest
    transcript: Digest

    def next(self, record: RoundRecord) -> "TranscriptHead":
        """The chain after `record`."""
        after = mse_after_fixed(record.cross, len(record.own))
        left = self.left_after(record.mse_before, after)
        return TranscriptHead(
            round=record.round,
            mse_after=after,
            left=left,
            delivered=record.delivered_digest,
            best=left if record.delivers else self.best,
            validators=record.validators,
            model_digest=record.model_digest,
            transcript=record.transcript_digest,
        )

    def left_after(self, before: int, after: int) -> int:
        """What is left of the first error when the next round takes its validators' from before to after."""
        return error_left(self.left if self.round else before, before, after)

    def delivered_after(self, model: bytes, left: int, schedule: Schedule) -> bytes:
        """The digest of the model to deliver if none follows the next round, which is `model`'s."""
        if self.delivered is None or schedule.deliver == "last" or left < self.best:
            return model
        return self.delivered

    def names(self, model: bytes) -> bool:
        """Whether this digest is of a model that the chain names already: no later round can have it.

        The contract takes a record whose two digests agree for one that delivers its own round's model, and
        the buyer would pay for that round's error instead of the better one's.
        """
        return model in (self.model_digest, self.delivered)

    def measures_start(self, validators: int) -> bool:
        """Whether the next round measures the model it starts from.

        Only in the first round and for a new set of validators: otherwise v₀ is already public, and whoever
        can predict an opened number can hide another one in it.
        """
        return self.round == 0 or validators != self.validators
