"""A round as its members and the aggregator saw it: all that the record follows from is worked out again."""

from collections.abc import Sequence

from protocol.crypto.cipher import Ciphertext, read_ciphertexts
from protocol.crypto.ring.context import Purpose
from protocol.messages.rounds import ShownMetrics, ShownNoise
from protocol.records import RoundRecord
from protocol.roles.owner.attempts import Attempt
from protocol.roles.owner.rounds.view import RoundView
from protocol.roles.rounds.attempt import ring_context
from protocol.roles.rounds.members import member_weights
from protocol.roles.rounds.products import weighted_product, with_shares
from protocol.types import RoundAttempt
from protocol.verification.contents import Contents
from protocol.verification.evidence import Shown, metrics_of, require_in_order, shown_attempt
from protocol.verification.next_model import require_ring
from protocol.verification.opening import Agreed
from protocol.verification.questions import require_questions
from protocol.verification.report import Check, naming
from protocol.verification.training import VerifiedTraining


def agreed_by_members(
    contents: Contents, training: VerifiedTraining, record: RoundRecord, at: RoundAttempt
) -> tuple[Agreed, list[Check]]:
    """The noisy product and the facts that every member signed, from evidence, verdicts, metrics and noise.

    Raises VerificationFailed, naming the message that the first failing check is of.
    """
    with naming("round_evidence", at.round):
        shown = shown_attempt(contents, training, at)
        require_in_order(shown, record)
    view, attempt = shown.view, shown.attempt
    with naming("shown_metrics", at.round):
        agreed, body = metrics_of(contents, shown)
    with naming("shown_noise", at.round):
        product = _noisy(contents, view, attempt, agreed.metrics)
    with naming("zero_test_shown", at.round):
        questions = require_questions(contents, shown)
    ring = []
    if contents.header.role == "federated_aggregator":
        with naming("ring_opening_request", at.round):
            named = agreed.facts.digests.product
            signers = require_ring(contents, training, at, attempt.checkers, named)
        ring.append(Check(name="next model's ring signatures", count=signers))
    makers = ring_context(view.identity, at, Purpose.METRIC, training.request.aggregator, attempt.checkers)
    checks = [
        Check(name="update proofs", count=len(view.claims)),
        *_of_masks(shown, body, questions),
        Check(name="checkers' verdicts", count=len(body.verdicts)),
        Check(name="product under noise"),
        *ring,
    ]
    return Agreed(product, agreed.facts, makers), checks


def _of_masks(shown: Shown, body: ShownMetrics, questions: int) -> list[Check]:
    """What was checked with masks and seeds; without them metrics are those that their members signed."""
    if not shown.has_masks:
        return [Check(name="metrics, signed", count=len(body.metrics))]
    remade = [Check(name="checkers' questions, made again", count=questions)] if questions else []
    return [
        Check(name="request rebuilt from masks"),
        Check(name="moment products", count=len(shown.view.products)),
        Check(name="metric proofs", count=len(body.metrics)),
        *remade,
    ]


def _noisy(
    contents: Contents, view: RoundView, attempt: Attempt, metrics: Sequence[Sequence[Ciphertext]]
) -> list[Ciphertext]:
    """Π X_v^(w_v) times the three shares."""
    body = contents.only(ShownNoise, attempt.at, view.state.request.aggregator)
    weights = list(member_weights(view.state.parties, attempt.members).values())
    made = weighted_product(view.key, metrics, weights, view.exchange.sets, view.widths.moments)
    shares = [read_ciphertexts(view.key, one, len(made)) for one in body.shares]
    return with_shares(view.key, made, shares)
