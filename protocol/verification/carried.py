"""What trainers carried from round to round, made again of the evidence of the rounds that were recorded."""

from protocol.errors import MisuseError, ProtocolViolation
from protocol.messages.rounds import RoundEvidence
from protocol.records import RoundRecord
from protocol.roles.engine.refusals import EarlyInput
from protocol.roles.owner.rounds.view import RoundView
from protocol.roles.rounds.carried import CarriedModels
from protocol.types import RoundAttempt
from protocol.verification.contents import Contents
from protocol.verification.training import VerifiedTraining


def carried_after(
    contents: Contents, training: VerifiedTraining, record: RoundRecord
) -> CarriedModels | None:
    """What is carried into the round after a record; None where models are averaged, or no evidence shows it.

    Masks are not needed. Whether the evidence is in order is for the round's own checks.
    """
    if not training.request.schedule.is_admm:
        return None
    for at in _places(contents, record.round):
        try:
            body, _ = contents.shown_evidence(at, training.request.aggregator)
            view = RoundView(training, at, body, training.context)
            if (body.next_model.digest(), view.trainers) == (record.model_digest, record.trainers):
                return view.carried_on
        except (ProtocolViolation, EarlyInput, MisuseError):
            continue
    return None


def _places(contents: Contents, round_number: int) -> list[RoundAttempt]:
    name = RoundEvidence.model_fields["type"].default
    kept = {at for kind, at in (*contents.messages, *contents.closed) if kind == name}
    return sorted(at for at in kept if at.round == round_number)
