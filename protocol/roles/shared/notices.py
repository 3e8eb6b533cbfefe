"""What the aggregator tells buyer and owners for people alone: facts that it notes too, by the same names."""

from protocol.messages import Complaint, ParticipantDropped, RoundCompleted, TrainingFailed
from protocol.roles.engine import facts
from protocol.roles.engine.effects import RecordFact
from protocol.roles.engine.inputs import Received
from protocol.roles.shared.parties import require_sender
from protocol.types import Address

STOPPED_BY_AGGREGATOR = "stopped_by_aggregator"
"""The code of a training that its aggregator's operator has stopped."""

Notice = RoundCompleted | ParticipantDropped | Complaint | TrainingFailed


def gave_up(code: str, last_round: int, fault: Address | None, silent: tuple[Address, ...]) -> RecordFact:
    """The end of a training after `last_round`: whom the aggregator blames, and waited for, if anybody."""
    accused = {} if fault is None else {"accused": fault}
    missed = {"silent": list(silent)} if silent else {}
    return facts.GAVE_UP.of(code=code, last_round=last_round, **accused, **missed)


def fact_of(notice: Received[Notice], aggregator: Address) -> RecordFact:
    """The fact in a notice; raises ProtocolViolation where anybody but the training's aggregator sent it."""
    require_sender(notice.sender, aggregator)
    round_number = notice.envelope.round
    match notice.body:
        case ParticipantDropped(participant=participant, from_round=first, code=code):
            attempt = notice.envelope.attempt
            return facts.DROPPED.of(participant=participant, round=first, attempt=attempt, code=code)
        case Complaint(accused=accused, code=code):
            return facts.COMPLAINT.of(accused=accused, round=round_number, code=code)
        case TrainingFailed(code=code, last_round=last, fault=fault, silent=silent):
            return gave_up(code, last, fault, silent)
        case RoundCompleted():
            return facts.ROUND_COMPLETED.of(round=round_number)
