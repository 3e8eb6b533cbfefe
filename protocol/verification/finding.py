"""What was shown after the buyer's own word against an attempt, judged again: evidence, ranges and errors.

Without the aggregator's key no mask is known. A trainer is out of range then where no three masks make its
sums. The makers, who took two of them off, saw some that are a little less far out: that none is seen acquits
no trainer, and convicts no buyer. With that key all is seen as the aggregator saw it. Errors are opened under
shares so narrow that one need not take them off.
"""

from collections.abc import Iterator
from typing import NamedTuple

from gmpy2 import mpz

from protocol.crypto.cipher import Opening, read_ciphertexts
from protocol.crypto.ring.context import Purpose
from protocol.errors import ProtocolViolation
from protocol.learning.moments.exchange import request_length
from protocol.learning.projection.answer import (
    Asked,
    Evidence,
    Finding,
    projection_answer_length,
    read_projection_answer,
)
from protocol.learning.projection.countersigning import zero_test_digest
from protocol.messages import OpeningRefused
from protocol.messages.rounds import RangesAsked, RingOpening, ZeroTestConsent, ZeroTestEvidence
from protocol.roles.owner.rounds.evidence import ground_of
from protocol.roles.owner.rounds.ring_views import errors_said_in
from protocol.roles.rounds.denials import DeniedAttempt
from protocol.roles.rounds.opened_ranges import out_of_range
from protocol.signatures import recover_address
from protocol.types import Address
from protocol.verification.contents import Contents
from protocol.verification.evidence import Shown
from protocol.verification.rings import masks_of_ranges, opened_product

_CODES = {
    Finding.FALSE_OPENING: "bad_opening",
    Finding.WRONG_PRODUCTS: "wrong_products",
    Finding.ZERO: "zero_denied",
}


class Judged(NamedTuple):
    """What one piece of evidence shows.

    `about` are those of whom one must be at fault if anybody is, `accused` who is, None: nobody of them.
    """

    about: frozenset[Address]
    accused: Address | None
    code: str


def found_of_test(
    contents: Contents, shown: Shown, checker: Address, consent: ZeroTestConsent
) -> Judged | None:
    """What the buyer's evidence about a denied test comes to; None where it was right, or shows none here."""
    buyer = shown.view.state.opened.buyer
    told = [one for one in contents.said(ZeroTestEvidence, shown.view.at, buyer) if one.checker == checker]
    if not told:
        return None
    finding = _finding(shown, checker, consent, told[0])
    if finding is Finding.NOT_ZERO:
        return None
    return Judged(frozenset((buyer,)), buyer, _CODES[finding])


def _finding(shown: Shown, checker: Address, consent: ZeroTestConsent, told: ZeroTestEvidence) -> Finding:
    view, other = shown.view, shown.attempt.other_checker(checker)
    exchange, widths = view.exchange, view.widths.projection
    try:
        request = read_ciphertexts(view.key, told.request, request_length(exchange.sets, widths))
        numbers = read_ciphertexts(
            view.key, told.answer, projection_answer_length(exchange.sets, widths.targets)
        )
        (zero,) = read_ciphertexts(view.key, [consent.zero], 1)
        signer = recover_address(zero_test_digest(view.key, request, numbers, zero), consent.signature)
        answer = read_projection_answer(numbers, exchange.sets, widths.targets)
    except ProtocolViolation:
        return Finding.FALSE_OPENING
    openings = [Opening(mpz(one.plaintext), mpz(one.root)) for one in told.openings]
    if signer != other or not openings:
        return Finding.FALSE_OPENING
    asked = Asked(view.key, tuple(request), answer, zero, exchange.trainers, exchange.sets, widths)
    evidence = Evidence(tuple(openings[: len(request)]), tuple(openings[len(request) : -1]), openings[-1])
    return asked.judge(evidence, view.context.randomness(f"shown evidence {checker}"))


def found_of_ranges(contents: Contents, shown: Shown) -> Iterator[Judged]:
    """What the opened ranges come to: trainers out of range, or the buyer, for openings that are none.

    With the aggregator's key two masks are known, as it knew them: then all that are not out of range are
    within, and where that leaves the buyer alone it is the buyer (`_is_left`).
    """
    view, buyer = shown.view, shown.view.state.opened.buyer
    trainers, product = view.state.parties.addresses(view.trainers), None
    opened = [
        one for one in contents.said(RingOpening, view.at, buyer) if one.purpose == Purpose.RANGES.value
    ]
    if opened:
        product = opened_product(contents, shown, Purpose.RANGES)
    if product is None:
        return  # nobody knows here of what it is an opening
    known = masks_of_ranges(contents, shown, product)
    for body in opened:
        chance = view.context.randomness("shown ranges")
        try:
            places = out_of_range(view.key, view.widths.ranges, product, body, known, chance)
        except ProtocolViolation:
            yield Judged(frozenset((buyer,)), buyer, "bad_opening")
            continue
        for one in places:
            # Of another trainer that the makers named it says nothing.
            yield Judged(frozenset((buyer, trainers[one])), trainers[one], "out_of_range")
        if known is not None and not places:
            left = buyer if _is_left(contents, shown) else None
            yield Judged(frozenset((buyer, *trainers) if left else trainers), left, "wrong_moments")


def _is_left(contents: Contents, shown: Shown) -> bool:
    """Whether the buyer is who is left with all trainers in range: by a test or sums that it has denied.

    And the aggregator has made request and next model as it should, which its masks show.
    """
    view, state = shown.view, shown.view.state
    if not shown.has_masks or ground_of(view) is not None:
        return False
    market, checkers = view.context.market, shown.attempt.checkers
    denied = DeniedAttempt(market, state.training, view.at, state.opened.buyer, checkers)
    asked = contents.said(RangesAsked, view.at, state.request.aggregator)
    complaints = [one.complaint for one in asked if one.complaint.envelope.type == "check_verdict"]
    return any(denied.is_shown(one) for one in complaints)


def found_of_errors(contents: Contents, shown: Shown) -> Iterator[Judged]:
    """What opened errors come to, of which the buyer has said that they make no record.

    Under all three shares, where makers have seen them under one: of whom that leaves open it says nothing.
    """
    view, buyer = shown.view, shown.view.state.opened.buyer
    words = contents.said(OpeningRefused, view.at, buyer)
    opened = [
        one for one in contents.said(RingOpening, view.at, buyer) if one.purpose == Purpose.ERRORS.value
    ]
    product = opened_product(contents, shown, Purpose.ERRORS) if opened and len(words) == 1 else None
    if product is None:
        return
    said = errors_said_in(view, shown.attempt, words[0])
    for number, body in enumerate(opened):
        chance = view.context.randomness(f"shown errors {number}")
        verdict = said.judge(product, body, None, buyer, chance)
        yield from (Judged(frozenset((one,)), one, code) for one, code in verdict.faults)
        yield from (Judged(frozenset((one,)), None, "errors_denied") for one in verdict.cleared)
