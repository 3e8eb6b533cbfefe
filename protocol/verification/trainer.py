"""A round as one of its trainers saw it: the model that it began with, and its own proven update."""

from protocol.learning.scales import MODEL_SCALE
from protocol.messages import EncryptedModel
from protocol.messages.rounds import ProvenUpdate
from protocol.records import RoundRecord
from protocol.roles.engine.refusals import require
from protocol.roles.rounds.proofs import read_update, update_proofs
from protocol.roles.rounds.started import CommittedOwners
from protocol.types import RoundAttempt
from protocol.verification.contents import Contents
from protocol.verification.report import Check, naming
from protocol.verification.training import VerifiedTraining


def require_own_update(contents: Contents, training: VerifiedTraining, record: RoundRecord) -> list[Check]:
    """Check the round's start against the chain of rounds, and the own update's proof.

    Of a trainer that carries a dual only members know what it starts from after the first round. Raises
    VerificationFailed.
    """
    is_carried = training.request.schedule.is_admm and record.round > 1
    attempts = contents.attempts(ProvenUpdate, record.round)
    with naming("proven_update", record.round):
        require(bool(attempts), "missing_message", "the update that the record says was made")
    at = RoundAttempt(record.round, attempts[-1])
    with naming("encrypted_model", record.round):
        start = contents.only(EncryptedModel, at, training.request.aggregator).model
        same = is_carried or start.digest() == training.link.model_digest
        require(same, "wrong_start_model", "not the record's")
    with naming("proven_update", record.round):
        own = contents.header.party
        body = contents.only(ProvenUpdate, at, own)
        require(body.start_digest == start.digest(), "wrong_start_model", "of another model")
        model = start.read(training.key, scale=MODEL_SCALE, count=training.request.parameters)
        proofs = update_proofs(training.key, training.identity, record.round, model, training.request)
        assert training.owners is not None
        commitments = training.owners.load(CommittedOwners, training.context).of(own)
        unproven = proofs.unproven([read_update(proofs, own, body, commitments)])
        require(not unproven, "unproven_update", own)
    proven = Check(name="own update's proof")
    return [proven] if is_carried else [Check(name="start model, the record's"), proven]
