"""The buyer's own word against an attempt: what has the trainers' ranges opened, and nothing else does.

A range that is opened tells nothing of an honest trainer but that it is kept. Still nobody has one opened at
will: a checker or the aggregator shows what the buyer has signed.
"""

from dataclasses import dataclass

from protocol.bodies import body_of
from protocol.envelope import SignedMessage
from protocol.errors import ProtocolViolation
from protocol.messages import OpeningRefused
from protocol.messages.rounds import CheckVerdict, RingOpening, ZeroTestResult
from protocol.records import Market
from protocol.types import Address, RoundAttempt


@dataclass(frozen=True, slots=True)
class DeniedAttempt:
    """An attempt at a round, and whose messages count in it."""

    market: Market
    training: int
    at: RoundAttempt
    buyer: Address
    checkers: tuple[Address, Address]

    def is_shown(self, complaint: SignedMessage) -> bool:
        """Whether the buyer's own word is against the attempt, in a checker's signed verdict or by itself."""
        envelope = complaint.envelope
        if envelope.type == "opening_refused":
            return self._is_of_buyer(complaint)
        place = (envelope.type, envelope.training, envelope.round, envelope.attempt)
        if place != ("check_verdict", self.training, *self.at) or envelope.sender not in self.checkers:
            return False
        try:
            complaint.verify(self.market)
            verdict = body_of(complaint, CheckVerdict)
        except ProtocolViolation:
            return False
        return any(self._denies(one, envelope.sender) for one in verdict.evidence)

    def _denies(self, signed: SignedMessage, checker: Address) -> bool:
        return signed.envelope.recipient == checker and self._is_of_buyer(signed)

    def _is_of_buyer(self, signed: SignedMessage) -> bool:
        envelope = signed.envelope
        place = (envelope.sender, envelope.training, envelope.round, envelope.attempt)
        if place != (self.buyer, self.training, *self.at):
            return False
        try:
            signed.verify(self.market)
            return is_denial(body_of(signed))
        except ProtocolViolation:
            return False


def is_denial(body: object) -> bool:
    """Whether a message of the buyer's says that a test is not zero, or sums or errors are out of range."""
    if isinstance(body, OpeningRefused):
        return True
    if isinstance(body, ZeroTestResult):
        return body.opening is None
    return isinstance(body, RingOpening) and not any(one.openings for one in body.vectors)
