"""What was shown after the buyer's own word against an attempt, judged again: its evidence, and the ranges.

A transcript has no seeds of masks. So a trainer is out of range here where no three masks make its sums. The
makers, who took two of them off, saw some that are a little less far out: that none is seen here acquits no
trainer, and convicts no buyer.
"""

from collections.abc import Iterator
from typing import NamedTuple

from gmpy2 import mpz

from protocol.crypto.cipher import Opening, read_ciphertexts
from protocol.crypto.ring.context import Maker, Purpose
from protocol.crypto.ring.product import product_digest
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
from protocol.messages.rounds import RingOpening, RingOpeningRequest, ZeroTestConsent, ZeroTestEvidence
from protocol.roles.owner.rounds.view import ring_view
from protocol.roles.rounds.opened_ranges import out_of_range
from protocol.signatures import recover_address
from protocol.types import Address
from protocol.verification.contents import Contents
from protocol.verification.evidence import Shown

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
    """What the opened ranges come to: trainers out of range, or the buyer, for openings that are none."""
    view, buyer = shown.view, shown.view.state.opened.buyer
    trainers = view.state.parties.addresses(view.trainers)
    for body in contents.said(RingOpening, view.at, buyer):
        if body.purpose != Purpose.RANGES.value:
            continue
        try:
            places = _outside(contents, shown, body)
        except ProtocolViolation:
            yield Judged(frozenset((buyer,)), buyer, "bad_opening")
            continue
        for one in places:
            # Of another trainer that the makers named it says nothing.
            yield Judged(frozenset((buyer, trainers[one])), trainers[one], "out_of_range")


def _outside(contents: Contents, shown: Shown, body: RingOpening) -> list[int]:
    """Who is out of range whatever the masks; nobody where no product is kept here."""
    view, product = shown.view, _product(contents, shown)
    if product is None:
        return []
    numbers = read_ciphertexts(view.key, product, len(product))
    chance = view.context.randomness("shown ranges")
    return out_of_range(view.key, view.widths.ranges, numbers, body, None, chance)


def _product(contents: Contents, shown: Shown) -> tuple[bytes, ...] | None:
    """The one that was opened, if all three makers signed it."""
    ring = ring_view(shown.view, shown.attempt, Purpose.RANGES).context
    for asked in contents.said(RingOpeningRequest, shown.view.at, ring.parties[Maker.AGGREGATOR]):
        if asked.purpose != Purpose.RANGES.value:
            continue
        numbers = read_ciphertexts(shown.view.key, asked.product, len(asked.product))
        digest = product_digest(shown.view.key, ring, numbers)
        if tuple(recover_address(digest, one) for one in asked.signatures) == ring.parties:
            return asked.product
    return None
