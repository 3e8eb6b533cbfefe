"""What the complaints of an attempt come to: whoever reads what was signed and shown finds the same.

The same questions that the parties asked themselves at the time (`aggregator.rounds.complaints`, `.rings`,
`owner.rounds.versions`), of the messages that a transcript holds, and with nobody's word for an answer.
"""

from collections.abc import Iterator, Sequence
from typing import TypeVar

from gmpy2 import mpz

from protocol.bodies import body_of
from protocol.crypto.cipher import Opening, PublicKey, read_ciphertexts, verify_openings
from protocol.crypto.randomness import Randomness
from protocol.crypto.ring.context import Maker, Purpose
from protocol.envelope import SignedMessage
from protocol.errors import ProtocolViolation
from protocol.learning.projection.answer import is_zero
from protocol.learning.projection.countersigning import Liar
from protocol.messages.catalogue import MessageBody
from protocol.messages.rounds import (
    CheckVerdict,
    RangesAsked,
    RingCommitted,
    RingConsent,
    RingOpening,
    RingOpeningRequest,
    RingShared,
    ZeroTestConsent,
    ZeroTestResult,
    ZeroTestShown,
)
from protocol.roles.owner.rounds.evidence import ground_of, open_ground_of
from protocol.roles.owner.rounds.ring_views import ring_view
from protocol.roles.rounds.denials import is_denial
from protocol.roles.shared.parties import public_key_of
from protocol.types import Address
from protocol.verification.contents import Contents
from protocol.verification.evidence import Shown
from protocol.verification.finding import Judged, found_of_errors, found_of_ranges, found_of_test
from protocol.verification.questions import asked_by

Body = TypeVar("Body", bound=MessageBody)


def judged(contents: Contents, shown: Shown) -> Iterator[Judged]:
    """What every complaint of an attempt comes to that can be decided from here."""
    for sender, verdict in _said(contents, shown, CheckVerdict):
        if sender in shown.attempt.checkers and not verdict.in_order:
            yield from _of_verdict(contents, shown, sender, verdict)
    if contents.header.role == "federated_aggregator":
        for sender, committed in _said(contents, shown, RingCommitted):
            # It is to something else than we have shown to all.
            if sender in shown.attempt.checkers and _is_other(shown, committed):
                yield Judged(frozenset((sender,)), sender, "other_statement")
    yield from found_of_ranges(contents, shown)
    yield from found_of_errors(contents, shown)
    for sender, consent in _said(contents, shown, RingConsent):
        if sender == shown.attempt.checkers[1] and consent.refused and shown.has_masks:
            yield _of_share(shown, consent)


def _said(contents: Contents, shown: Shown, kind: type[Body]) -> Iterator[tuple[Address, Body]]:
    """Each different body of this kind with its sender."""
    name = kind.model_fields["type"].default
    seen = set[tuple[str, bytes]]()
    for signed in contents.messages.get((name, shown.view.at), []):
        said = (signed.envelope.sender, signed.body)
        if said not in seen:
            seen.add(said)
            yield signed.envelope.sender, body_of(signed, kind)


def _of_verdict(
    contents: Contents, shown: Shown, checker: Address, verdict: CheckVerdict
) -> Iterator[Judged]:
    aggregator = shown.view.state.request.aggregator
    match verdict.ground:
        case None:
            yield Judged(frozenset((checker,)), checker, "false_complaint")
        case "start" | "proof" | "request" | "subtraction":
            # What another member was shown, this party does not know.
            if contents.header.party in (checker, aggregator):
                yield from _of_evidence(shown, checker, verdict.ground)
        case "question":
            yield from _of_question(shown, checker, verdict)
        case "shown":
            yield from _of_statement(contents, shown, checker, verdict)
        case "projection":
            yield from _of_test(contents, shown, checker, verdict)
        case "next_model":
            yield from _of_sums(contents, shown, checker, verdict)


def _of_evidence(shown: Shown, checker: Address, said: str) -> Iterator[Judged]:
    aggregator = shown.view.state.request.aggregator
    about = frozenset((checker, aggregator))
    ground = ground_of(shown.view) if shown.has_masks else open_ground_of(shown.view)
    if ground is not None:
        yield Judged(about, aggregator, f"other_{ground}")
    elif said == "subtraction" and shown.view.at.attempt > 1 and shown.view.body.refused is None:
        return  # it follows from what the first attempt has shown, unless the model was made anew
    elif shown.has_masks or said not in ("request", "subtraction"):
        yield Judged(about, checker, "false_complaint")


def _of_question(shown: Shown, checker: Address, verdict: CheckVerdict) -> Iterator[Judged]:
    asker = shown.attempt.other_checker(checker)
    about = frozenset((checker, asker))
    told = _evidence(shown, verdict, ZeroTestShown, asker, checker)
    if told is None:
        yield Judged(about, checker, "false_refusal")
    elif shown.has_masks:
        lies = asked_by(shown, asker).liar(told) is Liar.ASKER
        yield Judged(about, *((asker, "false_question") if lies else (checker, "false_refusal")))


def _of_statement(
    contents: Contents, shown: Shown, checker: Address, verdict: CheckVerdict
) -> Iterator[Judged]:
    """An aggregator that signed another version is at fault, and then neither checker by the other."""
    other, aggregator = shown.attempt.other_checker(checker), shown.view.state.request.aggregator
    about = frozenset((checker, other, aggregator))
    told = _evidence(shown, verdict, RingCommitted, aggregator, checker)
    if told is not None and _is_other(shown, told):
        yield Judged(about, aggregator, "two_versions")
        return
    if contents.header.party != aggregator:
        return  # it alone knows that it has shown both checkers the same
    committed = _evidence(shown, verdict, RingCommitted, other, checker)
    if committed is None:
        yield Judged(about, checker, "false_complaint")
    elif committed.purpose == Purpose.NEXT_MODEL.value:
        lies = _is_other(shown, committed)
        yield Judged(about, *((other, "other_statement") if lies else (checker, "false_complaint")))


def _is_other(shown: Shown, committed: RingCommitted) -> bool:
    """Whether it is to another model, or other updates, than were shown; of noise nothing is known."""
    match Purpose(committed.purpose):
        case Purpose.NEXT_MODEL:
            return committed.statement != shown.view.next_model.statement()
        case Purpose.RANGES:
            return committed.statement != shown.view.ranges.statement()
        case Purpose.METRIC | Purpose.ERRORS:
            return False


def _of_test(contents: Contents, shown: Shown, checker: Address, verdict: CheckVerdict) -> Iterator[Judged]:
    buyer, other = shown.view.state.opened.buyer, shown.attempt.other_checker(checker)
    about = frozenset((checker, buyer))
    result = _evidence(shown, verdict, ZeroTestResult, buyer, checker)
    consent = _evidence(shown, verdict, ZeroTestConsent, other, checker)
    if result is None or consent is None or not _is_test(shown, consent.zero):
        yield Judged(about, checker, "false_complaint")
    elif result.opening is None:
        found = found_of_test(contents, shown, checker, consent)
        yield from _of_denial(contents, shown, about, "projection_failed") if found is None else (found,)
    elif _is_proven(shown, result, consent.zero):
        yield Judged(about, checker, "false_complaint")
    else:
        yield Judged(about, buyer, "bad_opening")


def _of_denial(contents: Contents, shown: Shown, about: frozenset[Address], code: str) -> Iterator[Judged]:
    """Nobody is at fault by a denial alone; once ranges are opened for it, what they show decides."""
    place = (RangesAsked.model_fields["type"].default, shown.view.at)
    if place not in contents.messages and place not in contents.closed:
        yield Judged(about, None, code)


def _is_test(shown: Shown, zero: bytes) -> bool:
    """Whether a checker has signed a ciphertext: no honest one asks about what is none."""
    try:
        read_ciphertexts(shown.view.key, [zero], 1)
    except ProtocolViolation:
        return False
    return True


def _is_proven(shown: Shown, result: ZeroTestResult, zero: bytes) -> bool:
    state = shown.view.state
    chance = shown.view.context.randomness(f"shown test {zero.hex()}")
    return is_proven(public_key_of(state.n), result, zero, chance)


def is_proven(key: PublicKey, result: ZeroTestResult, zero: bytes, chance: Randomness) -> bool:
    """Whether the buyer's opening proves this test to be zero; one that is no ciphertext shows nothing."""
    if result.opening is None:
        return False
    try:
        (test,) = read_ciphertexts(key, [zero], 1)
    except ProtocolViolation:
        return True
    return is_zero(key, test, Opening(mpz(result.opening.plaintext), mpz(result.opening.root)), chance)


def are_opened(key: PublicKey, product: Sequence[bytes], told: RingOpening, chance: Randomness) -> bool:
    """Whether the buyer's openings are those of the sums that all makers signed."""
    opened = [
        Opening(mpz(one.plaintext), mpz(one.root)) for vector in told.vectors for one in vector.openings
    ]
    sums = read_ciphertexts(key, product, len(product))
    return len(opened) == len(sums) and verify_openings(key, sums, opened, chance)


def _of_sums(contents: Contents, shown: Shown, checker: Address, verdict: CheckVerdict) -> Iterator[Judged]:
    """Of sums that open nobody is named: they are shown to nobody."""
    buyer = shown.view.state.opened.buyer
    about = frozenset((checker, buyer))
    told = _evidence(shown, verdict, RingOpening, buyer, checker)
    if told is None:
        return
    if is_denial(told):
        yield from _of_denial(contents, shown, about, "next_model_failed")
        return
    for number, (_sender, asked) in enumerate(_said(contents, shown, RingOpeningRequest)):
        if asked.purpose != told.purpose:
            continue
        chance = shown.view.context.randomness(f"shown sums {checker} {number}")
        holds = are_opened(shown.view.key, asked.product, told, chance)
        yield Judged(about, *((None, "contested") if holds else (buyer, "bad_opening")))


def _of_share(shown: Shown, consent: RingConsent) -> Judged:
    """The second checker's refusal of the first one's share."""
    first, second = shown.attempt.checkers
    about = frozenset((first, second))
    told = None if consent.shown is None else _told(shown, consent.shown, RingShared, first, second)
    if told is not None and told.purpose == consent.purpose and _is_false(shown, told):
        return Judged(about, first, "false_share")
    return Judged(about, second, "false_complaint")


def _is_false(shown: Shown, told: RingShared) -> bool:
    workshop = ring_view(shown.view, shown.attempt, Purpose(told.purpose)).workshop
    try:
        share = read_ciphertexts(shown.view.key, told.share, len(workshop.form.bounds))
    except ProtocolViolation:
        return False  # it was never taken for a share
    return workshop.at_fault(Maker.FIRST_CHECKER, share, told.seed) is Maker.FIRST_CHECKER


def _evidence(
    shown: Shown, verdict: CheckVerdict, kind: type[Body], sender: Address, recipient: Address
) -> Body | None:
    """What a verdict shows of this kind that one party signed for the other, in this attempt."""
    found = (_told(shown, signed, kind, sender, recipient) for signed in verdict.evidence)
    return next((one for one in found if one is not None), None)


def _told(
    shown: Shown, signed: SignedMessage, kind: type[Body], sender: Address, recipient: Address
) -> Body | None:
    envelope, training = signed.envelope, shown.view.state.training
    place = (envelope.type, envelope.sender, envelope.recipient, envelope.training)
    expected = (kind.model_fields["type"].default, sender, recipient, training, *shown.view.at)
    if (*place, envelope.round, envelope.attempt) != expected:
        return None
    try:
        signed.verify(shown.view.context.market)
        return body_of(signed, kind)
    except ProtocolViolation:
        return None
