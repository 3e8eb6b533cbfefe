"""A checker's two questions: its own, made again from β and the seeds, and the other one's that it signed.

With both right, the products that all metrics are of are those of the signed updates, up to the chance that
`protocol.learning.projection` says: by arithmetic, and no longer by anybody's word.
"""

from gmpy2 import mpz

from protocol.bodies import body_of
from protocol.crypto.cipher import Opening, read_ciphertexts
from protocol.learning.projection.answer import is_zero
from protocol.messages.rounds import (
    ProjectionAnswer,
    ProjectionRequest,
    ZeroTestConsent,
    ZeroTestRequest,
    ZeroTestResult,
    ZeroTestShown,
)
from protocol.roles.engine.refusals import require
from protocol.roles.rounds.questions import AskedQuestion
from protocol.signatures import recover_address
from protocol.verification.contents import Contents
from protocol.verification.evidence import Shown


def require_questions(contents: Contents, shown: Shown) -> int:
    """Check both zero tests of a checker's transcript; how many were made again, 0 of anybody else's.

    Raises ProtocolViolation: "missing_message", "other_question" for one that is not what its seeds make or
    what the buyer was asked, "not_countersigned", "not_zero".
    """
    own, attempt = contents.header.party, shown.attempt
    if own not in attempt.checkers or not shown.has_masks:
        return 0
    other = attempt.other_checker(own)
    _require_own(contents, shown, own, other)
    _require_countersigned(contents, shown, own, other)
    return 2


def asked_by(shown: Shown, asker: str) -> AskedQuestion:
    """What one of an attempt's checkers may ask."""
    view, state = shown.view, shown.view.state
    market, buyer = view.context.market, state.opened.buyer
    return AskedQuestion(view.projection, market, state.training, view.at, buyer, asker)


def _require_own(contents: Contents, shown: Shown, own: str, other: str) -> None:
    at, buyer = shown.view.at, shown.view.state.opened.buyer
    asked, told = asked_by(shown, own), contents.only(ZeroTestShown, at, own)
    refusal = asked.refusal(told)
    require(refusal is None, "other_question", f"its own is not what its seeds make: {refusal}")
    question = contents.only(ProjectionRequest, at, own)
    answer = contents.only(ProjectionAnswer, at, buyer)
    tested = contents.only(ZeroTestRequest, at, own)
    require(question == told.request, "other_question", "the buyer was asked another")
    require(body_of(told.answer, ProjectionAnswer) == answer, "other_question", "of another answer")
    require(tested.zero == told.zero, "other_question", "the buyer was asked to open another test")
    signer = recover_address(asked.consent(told), tested.signature)
    require(signer == other, "not_countersigned", f"signed by {signer}, not by {other}")
    opening = contents.only(ZeroTestResult, at, buyer).opening
    (zero,) = read_ciphertexts(shown.view.key, [tested.zero], 1)
    chance = shown.view.context.randomness("own zero test")
    proven = opening is not None and is_zero(
        shown.view.key, zero, Opening(mpz(opening.plaintext), mpz(opening.root)), chance
    )
    require(proven, "not_zero", "its own test")


def _require_countersigned(contents: Contents, shown: Shown, own: str, other: str) -> None:
    at = shown.view.at
    asked, told = asked_by(shown, other), contents.only(ZeroTestShown, at, other)
    refusal = asked.refusal(told)
    require(refusal is None, "other_question", f"of {other}, signed and not what its seeds make: {refusal}")
    consent = contents.only(ZeroTestConsent, at, own)
    require(consent.zero == told.zero, "not_countersigned", "another test was signed")
    signer = recover_address(asked.consent(told), consent.signature)
    require(signer == own, "not_countersigned", f"signed by {signer}")
