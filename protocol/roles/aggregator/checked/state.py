"""What the aggregator remembers of what owners have committed to."""

from protocol.messages.checked.moments import LeftOutMember
from protocol.roles.aggregator.checked.lanes import (
    CheckedEvaluationLane,
    CheckedTrainingLane,
    ProvenRound,
    RepeatedRound,
    RepeatingLane,
)
from protocol.roles.aggregator.lanes import Answer
from protocol.roles.aggregator.state import DrawingState, TrainingState
from protocol.roles.engine.state import BlobRef


class CheckedDrawingState(DrawingState):
    """The joining is closed; `shown` are the commitments of owners that take part (`ShownOwner`)."""

    shown: tuple[Answer, ...] = ()


class CheckedTrainingState(TrainingState):
    """Rounds are trained, proven and measured.

    `owners` are all commitments (`checked.started.CommittedOwners`). `left` have left since the last attempt
    and are named with the next one; `dropped` seats never come back. `repetitions` counts the rounds that
    were repeated without trainers whose errors the buyer has named, `repeated` is the last of them.
    """

    owners: BlobRef
    training_lane: CheckedTrainingLane | None = None  # type: ignore[assignment]  # with steps of its own
    trained: ProvenRound | None = None
    evaluation: CheckedEvaluationLane | None = None  # type: ignore[assignment]  # with steps of its own
    left: tuple[LeftOutMember, ...] = ()
    repeated: RepeatedRound | None = None
    repetitions: int = 0

    @property
    def is_repeating(self) -> bool:
        """Whether a repeated round has no model yet: what would follow from it cannot be trained."""
        return isinstance(self.evaluation, RepeatingLane)

    def has_refused(self, round_number: int) -> bool:
        """Whether the buyer has refused an attempt at this round, which is repeated: its members stay."""
        return self.repeated is not None and self.repeated.round == round_number

    def model_number(self, round_number: int) -> int:
        """Which one of a round's models its trainers have, from 1: another for each repetition before it."""
        repeated = self.repeated
        return repeated.next_model if repeated is not None and repeated.round == round_number - 1 else 1
