"""A round's evidence out of a transcript, with masks or, where they are in a box, without."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from protocol.bodies import body_of
from protocol.crypto.cipher import Ciphertext, read_ciphertexts
from protocol.envelope import SignedMessage
from protocol.messages.rounds import ProvenMetric, ShownMetrics
from protocol.records import RoundRecord
from protocol.roles.engine.refusals import require
from protocol.roles.engine.state import store
from protocol.roles.owner.attempts import Attempt
from protocol.roles.owner.rounds.evidence import attempt_of, ground_of, open_ground_of, require_evidence
from protocol.roles.owner.rounds.metric import AgreedMetrics, agreed_facts, agreed_metrics, signed_metrics
from protocol.roles.owner.rounds.view import RoundView
from protocol.roles.rounds.attempt import shown_digest
from protocol.roles.rounds.members import attempt_checkers, draw_hash
from protocol.types import RoundAttempt
from protocol.verification.contents import Contents
from protocol.verification.training import VerifiedTraining


@dataclass(frozen=True)
class Shown:
    """An attempt as its members were shown it; without masks nothing is known of its products."""

    view: RoundView
    attempt: Attempt
    has_masks: bool


def shown_attempt(contents: Contents, training: VerifiedTraining, at: RoundAttempt) -> Shown:
    """What an attempt's evidence says, read and not examined.

    Raises ProtocolViolation as `Contents.only` does, and where it is none (`owner.rounds.evidence`).
    """
    body, masks = contents.shown_evidence(at, training.request.aggregator)
    members = training.parties.mask(body.members)
    require(body.members == training.parties.addresses(members), "validators_out_of_order")
    # Metrics and rings are looked at as a member does: this one, or of the aggregator's transcript a checker.
    hashed = draw_hash(contents.header.market, training.training, training.parties)
    checker, _other = attempt_checkers(training.parties, members, at, hashed)
    own = contents.header.party if contents.header.party in body.members else checker
    view = RoundView(training, at, body, replace(training.chance(f"evidence {at}"), address=own))
    require_evidence(view, members)
    attempt, blobs = attempt_of(view, members)
    if masks is not None:
        attempt = attempt.model_copy(update={"evidence_digest": shown_digest(body, masks)})
    return Shown(replace(view, context=view.context.knowing(blobs)), attempt, masks is None)


def require_in_order(shown: Shown, record: RoundRecord) -> None:
    """Check evidence as a member does, for the record's trainers and members; raises ProtocolViolation."""
    view = shown.view
    require(shown.attempt.members == record.validators, "wrong_members", "not those in the record")
    require(view.trainers == record.trainers, "wrong_trainers", "not those in the record")
    ground = ground_of(view) if shown.has_masks else open_ground_of(view)
    require(ground is None, "not_in_order", f"the {ground} does not hold")


def metrics_of(contents: Contents, shown: Shown) -> tuple[AgreedMetrics, ShownMetrics]:
    """Two equal verdicts, and every member's metric: with its proof, where there are masks.

    Raises ProtocolViolation as `owner.rounds.metric` does.
    """
    view, attempt = shown.view, shown.attempt
    body = contents.only(ShownMetrics, attempt.at, view.state.request.aggregator)
    own = _own_metric(contents, view, attempt, body.metrics)
    if shown.has_masks:
        kept, blob = store(own)
        measured = replace(view, context=view.context.knowing((blob,)))
        return agreed_metrics(measured, attempt.model_copy(update={"metric": kept}), body), body
    bodies = signed_metrics(view, attempt, body.metrics)
    require(bodies[view.context.address] == own, "own_metric_changed")
    return AgreedMetrics(agreed_facts(view, attempt, body), _ciphertexts(view, bodies.values())), body


def _ciphertexts(view: RoundView, bodies: Iterable[ProvenMetric]) -> list[tuple[Ciphertext, ...]]:
    sets = len(view.exchange.sets)
    return [tuple(read_ciphertexts(view.key, one.values, sets)) for one in bodies]


def _own_metric(
    contents: Contents, view: RoundView, attempt: Attempt, shown: Sequence[SignedMessage]
) -> ProvenMetric:
    """What this member sent; the aggregator has sent none, and takes the one that it showed."""
    own = view.context.address
    if own == contents.header.party:
        return contents.only(ProvenMetric, attempt.at, own)
    found = [one for one in shown if one.envelope.sender == own]
    require(len(found) == 1, "metrics_out_of_order", f"{len(found)} metrics of {own}")
    return body_of(found[0], ProvenMetric)
