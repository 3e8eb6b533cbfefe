"""What a member looks through before it measures: start, proofs and request, each held against its origin.

Nothing of the aggregator's is believed. A start that is not the recorded one, an update that its trainer did
not sign or prove, or a request that is not that of these updates under the shown masks has a ground, which a
checker says. Without a proper place, members or answer of the buyer it is no evidence at all.
"""

from collections.abc import Sequence

from protocol.crypto.cipher import RootedClaim, all_hold
from protocol.envelope import SignedMessage
from protocol.errors import ProtocolViolation
from protocol.learning.judgement.complaints import Ground
from protocol.learning.judgement.members import Attempt as Announced
from protocol.learning.judgement.members import require_attempt
from protocol.learning.moments.products import rescaled_updates
from protocol.learning.moments.recomputation import request_claims, subtraction_claims
from protocol.messages.rounds import RoundEvidence
from protocol.messages.rounds.values import START_OF
from protocol.roles.engine.context import Context
from protocol.roles.engine.effects import StoreBlob
from protocol.roles.engine.inputs import Received
from protocol.roles.engine.refusals import EarlyInput, StaleInput, require
from protocol.roles.engine.state import store
from protocol.roles.owner.attempts import Attempt
from protocol.roles.owner.rounds.view import RoundView, ShownTraining
from protocol.roles.owner.state import RunningState
from protocol.roles.rounds.attempt import evidence_digest
from protocol.roles.rounds.implausible import read_refusal
from protocol.roles.rounds.members import attempt_checkers, draw_hash, read_attempt
from protocol.roles.rounds.record import expected_start
from protocol.roles.rounds.start import first_link
from protocol.roles.shared.parties import public_key_of
from protocol.roles.shared.transcript import TranscriptHead
from protocol.types import RoundAttempt, seats_of


def link_of(state: ShownTraining) -> TranscriptHead:
    """Where the chain of opened rounds stands: before the first one, at the public start."""
    return state.link or first_link(state.request, public_key_of(state.n))


def require_place(state: RunningState, at: RoundAttempt) -> None:
    """Check that an attempt is at the next round, and follows the last one that we know of.

    Raises StaleInput for a round that the others have finished without us, EarlyInput for one whose turn
    comes, ProtocolViolation("already_opened") or ("attempt_out_of_order"): a second question about a round
    whose numbers are out would be a second equation.
    """
    if 1 <= at.round <= state.caught_up:
        raise StaleInput
    require(at.round > link_of(state).round, "already_opened")
    require(at.attempt >= 1, "attempt_out_of_order")
    if at.round > link_of(state).round + 1:
        raise EarlyInput
    running = state.attempt
    if running is not None and running.round == at.round:
        require(at.attempt > running.attempt, "attempt_out_of_order")
    if at.attempt > _last_number(state, at.round) + 1:
        raise EarlyInput


def require_members(state: RunningState, received: Received[RoundEvidence], context: Context) -> int:
    """The attempt's members as a mask, in seat order and this owner among them.

    Who is left out is named with a reason and never returns: whoever could leave out one member now and
    another then would have each one's numbers as a difference. The buyer would, without anybody but the
    members of an attempt that it has refused: "wrong_members". Raises ProtocolViolation as
    `judgement.members.require_attempt` does.
    """
    body, at, parties = received.body, received.at, state.parties
    members = parties.mask(body.members)
    require(context.address in body.members, "not_a_validator")
    require(body.members == parties.addresses(members), "validators_out_of_order")
    announced = read_attempt(parties, at.attempt, body.members, body.left_out)
    standing = seats_of(state.standing or parties.validators)
    before = _last_number(state, at.round)
    previous = Announced(before - 1, ()) if before else None
    require_attempt(parties.validators.bit_count(), standing, previous, announced)
    same = members == (state.standing or parties.validators)
    require(
        same or not _members_stay(state, body, at.round), "wrong_members", "others than in the refused one"
    )
    return members


def _members_stay(state: ShownTraining, body: RoundEvidence, round_number: int) -> bool:
    """Whether the buyer has refused an attempt at the round, as this evidence or the last one shows."""
    running = state.attempt
    stays = running is not None and running.round == round_number and running.members_stay
    return stays or body.refused is not None


def require_evidence(view: RoundView, members: int) -> None:
    """Check what no verdict is about.

    Raises ProtocolViolation where trainers are none or out of order, another start is measured than must be,
    the buyer's signed answer is missing or malformed, or the next model is no vector, an earlier round's, or
    another than at the attempt before: trainers have gone on from that one, unless the round is repeated.
    """
    link, running = link_of(view.state), view.state.attempt
    if view.body.refused is not None:
        _require_repetition(view, view.body.refused)
    elif running is not None and running.round == view.at.round:
        same = view.body.next_model.digest() == running.model_digest
        require(same and view.body.rescaled == _rescaled(running, view), "second_model_for_round")
    require(START_OF[view.body.start] is expected_start(link, members), "wrong_start_measurement")
    require(not link.names(view.body.next_model.digest()), "model_of_an_earlier_round")
    _ = view.trainers, view.start, view.answer, view.model, view.rescaled  # to read is to check


def _rescaled(attempt: Attempt, view: RoundView) -> tuple[bytes, ...]:
    """The trainers' models at the next one's scale that an earlier attempt at the round has shown."""
    if not view.exchange.rescales:
        return ()
    return attempt.evidence.load(RoundEvidence, view.context).rescaled


def _require_repetition(view: RoundView, refused: SignedMessage) -> None:
    """Check that the round is repeated without whom the buyer has named in the attempt before, and no more.

    Without its signed word an aggregator could leave out whom it likes, and have two means of a round. A
    checker takes part only once it has seen itself that the errors were what the buyer said, for which the
    aggregator relays them. Raises EarlyInput before, ProtocolViolation: "wrong_refusal" or "wrong_trainers".
    """
    state, at = view.state, RoundAttempt(view.at.round, view.at.attempt - 1)
    named = read_refusal(refused, view.context.market, state.training, at, state.opened.buyer)
    out = state.parties.mask(named)
    require(view.trainers & out == 0, "wrong_trainers", "somebody who was named is still among them")
    running = state.attempt
    if running is None or running.at != at:
        return
    if view.context.address in running.checkers and (running.errors is None or not running.errors.in_range):
        raise EarlyInput
    before = running.evidence.load(RoundEvidence, view.context)
    were = state.parties.mask(tuple(one.envelope.sender for one in before.updates))
    require(view.trainers == were & ~out, "wrong_trainers", "others than those who were not named")


def ground_of(view: RoundView, *, is_checker: bool = True) -> Ground | None:
    """What is not in order, if anything is: the first of start, proofs, request and next model.

    With the last two checked, sums of the next model that are out of range are the buyer's doing or a
    trainer's. Proofs are for checkers, and whoever examines a transcript, to verify: what another member
    makes of these updates is opened only if both checkers sign that they are in order, and these very ones.
    """
    if (ground := open_ground_of(view, is_checker=is_checker)) is not None:
        return ground
    return _masked_ground_of(view, is_checker=is_checker)


def open_ground_of(view: RoundView, *, is_checker: bool = True) -> Ground | None:
    """The same of start and proofs alone, which need no masks."""
    if view.body.start_model.digest() != link_of(view.state).model_digest:
        return Ground.START
    return None if _are_updates(view, is_checker=is_checker) else Ground.PROOF


def _masked_ground_of(view: RoundView, *, is_checker: bool) -> Ground | None:
    """The same of request and next model, both held against shown masks in one equation.

    Under another mask than that of the signed updates the buyer would look at fault. Tables of these are for
    a checker alone: others multiply them once.
    """
    try:
        tables = view.vector_tables if is_checker else None
        widths = view.widths.moments
        request = request_claims(view.key, view.vectors, widths, view.mask, view.request, tables=tables)
    except ProtocolViolation:
        return Ground.REQUEST
    try:
        model = _model_claims(view)
    except ProtocolViolation:
        return Ground.SUBTRACTION if all_hold(view.key, request) else Ground.REQUEST
    if all_hold(view.key, [*request, *model]):
        return None
    return Ground.SUBTRACTION if all_hold(view.key, request) else Ground.REQUEST


def _model_claims(view: RoundView) -> list[RootedClaim]:
    """That the next model is the first attempt's answer without masks, as that attempt has shown.

    And the trainers' models at its scale, where they carry duals: those hold no blinding, and are made again.

    In a further attempt it is the same model (`require_evidence`): what was found of it then stands. Raises
    ProtocolViolation("wrong_subtraction") where it was found to be another, and as `subtraction_claims` does.
    """
    running = view.state.attempt
    if view.at.attempt > 1 and view.body.refused is None:
        stands = running is None or running.round != view.at.round or not running.other_model
        require(stands, "wrong_subtraction")
        return []
    masks = view.mask.digits(view.exchange.vectors, view.widths.moments)
    require(_are_rescaled(view, masks), "wrong_subtraction")
    return subtraction_claims(
        view.key, view.answer, masks, view.exchange.trainers, view.model, view.model_roots
    )


def _are_rescaled(view: RoundView, masks: Sequence[Sequence[int]]) -> bool:
    """Whether what trainers carry is made of the answer, without masks."""
    return rescaled_updates(view.key, view.answer, masks) == view.rescaled


def _are_updates(view: RoundView, *, is_checker: bool) -> bool:
    """Whether every update can be read, is signed by its trainer and, to a checker, proven."""
    try:
        _ = view.claims  # to read is to check
        return not (is_checker and view.unproven())
    except ProtocolViolation:
        return False


def _last_number(state: RunningState, round_number: int) -> int:
    """Of the last attempt at a round that we know of, from 1; 0 before the first."""
    running = state.attempt
    return running.attempt if running is not None and running.round == round_number else 0


def attempt_of(view: RoundView, members: int) -> tuple[Attempt, tuple[StoreBlob, ...]]:
    """An attempt as its evidence begins it, with the blobs of evidence, next model and what is carried."""
    body, at = view.body, view.at
    hashed = draw_hash(view.context.market, view.state.training, view.state.parties)
    evidence, evidence_blob = store(body)
    model, model_blob = store(body.next_model)
    carried, *carried_blobs = store(view.carried_on) if view.exchange.rescales else (None,)
    attempt = Attempt(
        round=at.round,
        attempt=at.attempt,
        members=members,
        start=body.start,
        checkers=attempt_checkers(view.state.parties, members, at, hashed),
        evidence=evidence,
        evidence_digest=evidence_digest(body),
        model=model,
        model_digest=body.next_model.digest(),
        carried=carried,
        members_stay=_members_stay(view.state, body, at.round),
    )
    return attempt, (evidence_blob, model_blob, *carried_blobs)
