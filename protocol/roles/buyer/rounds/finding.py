"""The buyer after its word against an attempt: it shows what it was asked, and opens the trainers' ranges.

Each once, and only where its own word asks for it: nobody else has anything opened by this.
"""

from protocol.crypto.cipher import Ciphertext, PublicKey, open_ciphertexts, read_ciphertexts
from protocol.crypto.ring.context import Maker, Purpose
from protocol.crypto.ring.product import product_digest, require_agreed
from protocol.learning.checked_openings.sums import per_vector
from protocol.learning.projection.answer import read_projection_answer, show_evidence
from protocol.messages.rounds import (
    RingOpening,
    RingOpeningRequest,
    ZeroTestEvidence,
    ZeroTestEvidenceRequest,
)
from protocol.messages.rounds.ring import OpenedVector
from protocol.messages.rounds.values import START_OF, Shown
from protocol.roles.buyer.state import AskedNumbers, BuyerStep, OfAttempt, RunningState, private_key_of
from protocol.roles.engine.context import Context, Step, message
from protocol.roles.engine.inputs import Received
from protocol.roles.engine.refusals import require
from protocol.roles.engine.state import replace
from protocol.roles.rounds.attempt import identity_of, ring_context
from protocol.roles.rounds.widths import started_widths
from protocol.roles.shared.parties import require_sender
from protocol.signatures import recover_address


def on_evidence_request(
    state: RunningState, asked: Received[ZeroTestEvidenceRequest], context: Context
) -> BuyerStep:
    """Show the aggregator what a test is that we have denied: question, answer and test, with proof.

    The numbers are uniform to it, which does not know the question's seeds. Raises
    ProtocolViolation("not_denied") for a test of which we have said nothing, or that it is zero, and
    ("asked_twice").
    """
    require_sender(asked.sender, state.request.aggregator)
    at, checker = asked.at, asked.body.checker
    require(checker in state.checkers(at, context), "not_a_checker")
    question, exchange = state.question(at, checker), state.exchange(at)
    require(question is not None and question.denied is not None, "not_denied", checker)
    assert question is not None
    assert question.denied is not None
    assert exchange is not None  # nobody's question is answered before the attempt's
    require(not question.is_shown, "asked_twice")
    private = private_key_of(context)
    key, numbers = private.public_key, question.numbers.load(AskedNumbers, context)
    layout = started_widths(state.request, state.parties).projection
    sets = layout.sets(exchange.trainers, START_OF[exchange.start])
    request = read_ciphertexts(key, numbers.request, len(numbers.request))
    told = read_ciphertexts(key, numbers.answer, len(numbers.answer))
    answer = read_projection_answer(told, sets, layout.targets)
    (zero,) = read_ciphertexts(key, [question.denied], 1)
    evidence = show_evidence(private, request, answer, zero)
    openings = (*evidence.request, *evidence.answer, evidence.zero)
    body = ZeroTestEvidence(
        checker=checker,
        request=numbers.request,
        answer=numbers.answer,
        openings=tuple(Shown(plaintext=int(one.plaintext), root=int(one.root)) for one in openings),
    )
    shown = tuple(replace(one, is_shown=True) if one is question else one for one in state.questions)
    return Step(replace(state, questions=shown), (message(context, asked.sender, body, at),))


def open_ranges(state: RunningState, asked: Received[RingOpeningRequest], context: Context) -> BuyerStep:
    """Open the masked sums of all trainers' updates for the ring's makers, with proof, whatever they are.

    Our word that one is out of range would name nobody. Of an honest trainer's sums the masks leave nothing
    to see. Raises ProtocolViolation("not_denied") for an attempt that we have said nothing against.
    """
    at, private = asked.at, private_key_of(context)
    checkers = state.checkers(at, context)
    opened = OfAttempt(round=at.round, attempt=at.attempt)
    require(opened in state.denials, "not_denied", f"round {at.round}, attempt {at.attempt}")
    require(opened not in state.opened_ranges, "already_opened")
    exchange = state.exchange(at)
    assert exchange is not None  # nothing is denied before it is answered
    widths = started_widths(state.request, state.parties).ranges
    product = signed_product(state, asked, private.public_key, exchange.trainers * widths.plaintexts, context)
    shown = open_ciphertexts(private, product)
    vectors = tuple(
        OpenedVector(openings=tuple(Shown(plaintext=int(m.plaintext), root=int(m.root)) for m in one))
        for one in per_vector(shown, widths)
    )
    answer = RingOpening(purpose=asked.body.purpose, vectors=vectors)
    sent = tuple(message(context, maker, answer, at) for maker in (asked.sender, *checkers))
    return Step(replace(state, opened_ranges=(*state.opened_ranges, opened)), sent)


def open_errors(state: RunningState, asked: Received[RingOpeningRequest], context: Context) -> BuyerStep:
    """Open the errors that we have named, and masks in place of all others, for the ring's makers, once.

    Or of one that is negative each member's part. Raises ProtocolViolation("not_denied") for an attempt of
    which we have named nothing, or before the trainers' ranges were opened: where one is not kept, it is not
    the errors that are judged.
    """
    at, private = asked.at, private_key_of(context)
    checkers, refusal = state.checkers(at, context), state.refusal(*at)
    names = refusal is not None and (refusal.named > 0 or refusal.is_negative)
    require(names, "not_denied", f"round {at.round}, attempt {at.attempt}")
    require(any(one.at == at for one in state.opened_ranges), "not_denied", "no ranges were opened")
    assert refusal is not None
    require(not refusal.is_opened, "already_opened")
    exchange = state.exchange(at)
    assert exchange is not None  # nothing is denied before it is answered
    layout = started_widths(state.request, state.parties).moments
    sets = layout.sets(exchange.trainers, START_OF[exchange.start])
    parts = state.announced(at).members.bit_count() if refusal.is_negative else 1
    product = signed_product(state, asked, private.public_key, parts * len(sets), context)
    shown = [Shown(plaintext=int(m.plaintext), root=int(m.root)) for m in open_ciphertexts(private, product)]
    starts = range(0, len(shown), len(sets))
    vectors = tuple(OpenedVector(openings=tuple(shown[one : one + len(sets)])) for one in starts)
    answer = RingOpening(purpose=asked.body.purpose, vectors=vectors)
    sent = tuple(message(context, maker, answer, at, label="errors") for maker in (asked.sender, *checkers))
    refusals = tuple(replace(one, is_opened=True) if one is refusal else one for one in state.refusals)
    return Step(replace(state, refusals=refusals), sent)


def signed_product(
    state: RunningState,
    asked: Received[RingOpeningRequest],
    key: PublicKey,
    count: int,
    context: Context,
) -> list[Ciphertext]:
    """The ring's product, if its three makers have signed it; `count` are its ciphertexts.

    Raises ProtocolViolation("not_agreed"), and as `read_ciphertexts` does.
    """
    at, body = asked.at, asked.body
    product = read_ciphertexts(key, body.product, count)
    identity = identity_of(context, asked.envelope.training, key)
    checkers = state.checkers(at, context)
    ring = ring_context(identity, at, Purpose(body.purpose), state.request.aggregator, checkers)
    digest = product_digest(key, ring, product)
    signers = dict(zip(Maker, (recover_address(digest, one) for one in body.signatures), strict=True))
    signed = {maker: digest for maker, signer in signers.items() if signer == ring.parties[maker]}
    require_agreed(key, ring, product, signed)
    return product
