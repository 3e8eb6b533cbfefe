"""Where the chain of opened rounds stands: the next record continues it."""

from protocol.learning.shapley import mse_after_fixed
from protocol.payment import error_left
from protocol.records import RoundRecord
from protocol.request_schedule import Schedule
from protocol.types import BigInteger, Digest, FrozenModel, RoundNumber, Seats


class TranscriptHead(FrozenModel):
    """Where the chain of opened rounds stands: the next record continues it.

    `left` is what is left of the first error (`payment.error_left`), `delivered` the digest of the model to
    be delivered if no round follows, and `best` what was left after that model's round. A fold `begins` after
    a round: from there on all these are its own.
    """

    round: RoundNumber = 0
    mse_after: BigInteger = 0
    left: BigInteger = 0
    delivered: Digest | None = None
    best: BigInteger = 0
    validators: Seats = 0
    begins: RoundNumber = 0
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
            begins=self.begins,
            model_digest=record.model_digest,
            transcript=record.transcript_digest,
        )

    @property
    def is_at_start(self) -> bool:
        """Whether the next round starts from the public start, as the first of the training or of a fold."""
        return self.round == self.begins

    def in_next_fold(self, start: Digest) -> "TranscriptHead":
        """The chain where a fold begins, at the model of digest `start`."""
        return TranscriptHead(
            round=self.round, begins=self.round, model_digest=start, transcript=self.transcript
        )

    def left_after(self, before: int, after: int) -> int:
        """What is left of the first error when the next round takes its validators' from before to after."""
        return error_left(before if self.is_at_start else self.left, before, after)

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

        Only in the first round, also of a fold, and for a new set of validators: otherwise v₀ is already
        public, and whoever can predict an opened number can hide another one in it.
        """
        return self.is_at_start or validators != self.validators
