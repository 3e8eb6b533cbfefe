"""A checker's question as the other one is shown it, and as anybody may judge who refused to sign it.

All of it stands under the asker's signature: question, the buyer's signed answer, test, and the seeds of
both. So a refusal that shows this one message shows as well which of the two checkers lies.
"""

from dataclasses import dataclass

from protocol.bodies import body_of
from protocol.crypto.cipher import Ciphertext, read_ciphertexts
from protocol.errors import ProtocolViolation
from protocol.learning.moments.exchange import SetAnswer
from protocol.learning.projection.answer import read_projection_answer
from protocol.learning.projection.countersigning import Liar, Refusal, consent, refusal
from protocol.learning.projection.question import Projection, Seeds
from protocol.messages.rounds import ProjectionAnswer, ZeroTestShown
from protocol.records import Market
from protocol.roles.engine.refusals import require
from protocol.roles.rounds.attempt import numbers_digest
from protocol.types import Address, RoundAttempt

_OTHER = "wrong_evidence"


@dataclass(frozen=True)
class AskedQuestion:
    """What one checker of an attempt may ask, and of whom it has the answer."""

    projection: Projection
    market: Market
    training: int
    at: RoundAttempt
    buyer: Address
    asker: Address

    def refusal(self, shown: ZeroTestShown) -> Refusal | None:
        """Why what the asker has shown is not to be signed; None where it is.

        An honest asker has held the buyer's answer against its question before it showed both.
        """
        try:
            answer = self._answer(shown)
        except ProtocolViolation:
            return Refusal.OTHER_ANSWER
        try:
            request, zero = self._asked(shown)
        except ProtocolViolation:
            return Refusal.OTHER_REQUEST
        seeds = Seeds(shown.question_seed, shown.test_seed)
        return refusal(self.projection, request, answer, zero, seeds)

    def consent(self, shown: ZeroTestShown) -> bytes:
        """The digest that the other checker signs of what it has no `refusal` for."""
        request, zero = self._asked(shown)
        return consent(self.projection, request, self._answer(shown), zero)

    def liar(self, shown: ZeroTestShown) -> Liar:
        """Who lies where the other checker refuses: the asker, if there is a reason to."""
        return Liar.COUNTERSIGNER if self.refusal(shown) is None else Liar.ASKER

    def _asked(self, shown: ZeroTestShown) -> tuple[list[Ciphertext], Ciphertext]:
        key, masked = self.projection.key, shown.request.masked
        return read_ciphertexts(key, masked, len(masked)), read_ciphertexts(key, [shown.zero], 1)[0]

    def _answer(self, shown: ZeroTestShown) -> tuple[SetAnswer, ...]:
        """The buyer's signed answer to this question; raises ProtocolViolation where it is none."""
        envelope = shown.answer.envelope
        place = (envelope.type, envelope.sender, envelope.recipient, envelope.training)
        require(place == ("projection_answer", self.buyer, self.asker, self.training), _OTHER)
        require((envelope.round, envelope.attempt) == self.at, _OTHER, "of another attempt")
        shown.answer.verify(self.market)
        body = body_of(shown.answer, ProjectionAnswer)
        require(body.request_digest == numbers_digest(shown.request.masked), _OTHER, "to another question")
        numbers = read_ciphertexts(self.projection.key, body.numbers, len(body.numbers))
        return read_projection_answer(numbers, self.projection.sets, self.projection.widths.targets)
