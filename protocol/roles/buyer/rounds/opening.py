"""The buyer opens a checked round's errors, once, for a product that every member has signed."""

from protocol.crypto.cipher import Ciphertext, PublicKey, open_ciphertexts, read_ciphertexts
from protocol.crypto.ring.context import Purpose
from protocol.messages import Opening, OpeningRefused
from protocol.messages.rounds import MetricOpeningRequest
from protocol.messages.rounds.values import START_OF
from protocol.records import RoundRecord
from protocol.roles.buyer.state import (
    BuyerStep,
    Refusal,
    RunningState,
    denying,
    from_round,
    private_key_of,
    stall_timer,
)
from protocol.roles.engine import facts
from protocol.roles.engine.context import Context, Step, message
from protocol.roles.engine.effects import SendMessage
from protocol.roles.engine.inputs import Received
from protocol.roles.engine.refusals import require
from protocol.roles.engine.state import replace
from protocol.roles.rounds.attempt import consent_digest, identity_of, ring_context
from protocol.roles.rounds.implausible import is_affordable, named_errors, negative_error
from protocol.roles.rounds.record import OpenedProduct, record_of, require_facts
from protocol.roles.rounds.widths import started_widths
from protocol.roles.shared.accusing import sign_openings
from protocol.roles.shared.parties import require_sender
from protocol.roles.shared.signed_rounds import SignedRound, with_round
from protocol.signatures import recover_address, sign_digest


def on_metric_opening_request(
    state: RunningState, asked: Received[MetricOpeningRequest], context: Context
) -> BuyerStep:
    """Open the product under noise with proof, and sign the record that follows from it.

    Or say that it is implausible, and whose errors are too large: its word alone has nobody sit out.
    """
    require_sender(asked.sender, state.request.aggregator)
    at, body, private = asked.at, asked.body, private_key_of(context)
    # One set of members per round: the difference of two openings would show a single member's numbers. What
    # was refused is opened again only without trainers who were named, and by the same members.
    require(at.round not in state.opened_sets, "already_opened")
    require(state.refusal(*at) is None, "already_opened")
    _require_known(state, asked)
    key, widths = private.public_key, started_widths(state.request, state.parties).moments
    sets = widths.sets(body.facts.trainers.bit_count(), START_OF[body.facts.start])
    product = read_ciphertexts(key, body.product, len(sets))
    _require_consents(state, asked, product, key, context)
    opened = open_ciphertexts(private, product)
    pairs = [(int(one.plaintext), int(one.root)) for one in opened]
    plaintexts = [plaintext for plaintext, _ in pairs]
    record = record_of(
        body.facts,
        plaintexts,
        training=asked.envelope.training,
        at=at,
        request=state.request,
        parties=state.parties,
        widths=widths,
        link=state.link,
    )
    if record is None:
        return _refuse(state, asked, plaintexts, context)
    after = replace(state, opened_sets=(*state.opened_sets, at.round))
    attested = OpenedProduct(asked.envelope.training, at.round, tuple(product))
    opening = Opening(
        plaintexts=tuple(plaintexts),
        roots=tuple(root for _, root in pairs),
        record=record,
        signature=sign_digest(context.signing_key, record.digest(context.market)),
        opening_signatures=sign_openings(key, attested, pairs, context),
        head=context.kept_head,
    )
    signed = _signed(after, record, opening.signature)
    return Step(signed, (*_to_all(state, asked, opening, context), stall_timer(state, context)))


def _refuse(
    state: RunningState,
    asked: Received[MetricOpeningRequest],
    plaintexts: list[int],
    context: Context,
) -> BuyerStep:
    """Say that the errors are implausible, and whose are too large, or which is negative."""
    at, told, request, parties = asked.at, asked.body.facts, state.request, state.parties
    widths, link = started_widths(request, parties).moments, state.link
    named = named_errors(told, plaintexts, request=request, parties=parties, widths=widths, link=link)
    negative = None
    if not named:
        negative = negative_error(told, plaintexts, request=request, parties=parties, widths=widths)
    is_final = bool(named) and not is_affordable(told.trainers, len(named), told.start, request, link)
    refusal = Refusal(
        round=at.round,
        attempt=at.attempt,
        named=len(named),
        is_negative=negative is not None,
        is_final=is_final,
    )
    opened = state.opened_sets if refusal.sitting_out else (*state.opened_sets, at.round)
    after = replace(denying(state, at), opened_sets=opened, refusals=(*state.refusals, refusal))
    said = OpeningRefused(named=named, negative=negative, is_final=is_final)
    sent = _to_all(state, asked, said, context)
    return Step(after, (*sent, facts.IMPLAUSIBLE.of(round=at.round)))


def _require_known(state: RunningState, asked: Received[MetricOpeningRequest]) -> None:
    """Raise ProtocolViolation unless the attempt is the one under way, and is of what the buyer answered."""
    at, found = asked.at, asked.body.facts
    require_facts(found, state.parties, state.link, at)
    require(state.announced(at).members == found.members, "wrong_members")
    answered = state.exchange(at)
    told = (found.trainers.bit_count(), found.start, found.digests.request, found.digests.answer)
    known = answered and (answered.trainers, answered.start, answered.request, answered.answer)
    require(told == known, "other_exchange", "another question or answer than the attempt's")


def _require_consents(
    state: RunningState,
    asked: Received[MetricOpeningRequest],
    product: list[Ciphertext],
    key: PublicKey,
    context: Context,
) -> None:
    """Raise ProtocolViolation unless each member of the attempt has signed this product and these facts.

    Both checkers are among them, and sign only where the noise is what it should be.
    """
    at, body = asked.at, asked.body
    identity = identity_of(context, asked.envelope.training, key)
    checkers = state.checkers(at, context)
    ring = ring_context(identity, at, Purpose.METRIC, state.request.aggregator, checkers)
    digest = consent_digest(key, ring, product, body.facts)
    members = state.parties.addresses(body.facts.members)
    require(len(body.signatures) == len(members), "not_agreed", f"{len(body.signatures)} signatures")
    for member, signature in zip(members, body.signatures, strict=True):
        require(recover_address(digest, signature) == member, "not_agreed", f"{member} has not signed this")


def _to_all(
    state: RunningState,
    asked: Received[MetricOpeningRequest],
    body: Opening | OpeningRefused,
    context: Context,
) -> tuple[SendMessage, ...]:
    members = state.parties.addresses(asked.body.facts.members)
    return tuple(message(context, to, body, asked.at) for to in (state.request.aggregator, *members))


def _signed(state: RunningState, record: RoundRecord, signature: bytes) -> RunningState:
    kept = from_round(state, record.round)
    after = replace(state, link=state.link.next(record), **kept)
    return with_round(after, SignedRound(record=record, buyer_signature=signature))
