"""What the aggregator remembers of what owners have committed to."""

from protocol.messages.checked.moments import LeftOutMember
from protocol.roles.aggregator.checked.lanes import CheckedEvaluationLane, CheckedTrainingLane, ProvenRound
from protocol.roles.aggregator.lanes import Answer
from protocol.roles.aggregator.state import DrawingState, TrainingState
from protocol.roles.engine.state import BlobRef


class CheckedDrawingState(DrawingState):
    """The joining is closed; `shown` are the commitments of owners that take part (`ShownOwner`)."""

    shown: tuple[Answer, ...] = ()


class CheckedTrainingState(TrainingState):
    """Rounds are trained, proven and measured.

    `owners` are all commitments (`checked.started.CommittedOwners`). `left` have left since the last attempt
    and are named with the next one; `dropped` seats never come back.
    """

    owners: BlobRef
    training_lane: CheckedTrainingLane | None = None  # type: ignore[assignment]  # with steps of its own
    trained: ProvenRound | None = None
    evaluation: CheckedEvaluationLane | None = None  # type: ignore[assignment]  # with steps of its own
    left: tuple[LeftOutMember, ...] = ()
