"""What a checker shows with its verdict: messages that it was sent, each under its sender's signature."""

from protocol.bodies import body_of
from protocol.envelope import SignedMessage
from protocol.errors import ProtocolViolation
from protocol.messages.catalogue import MessageBody
from protocol.messages.rounds import CheckVerdict
from protocol.roles.aggregator.rounds.view import AttemptView
from protocol.roles.engine.context import Context
from protocol.types import Address


def shown(
    view: AttemptView, verdict: CheckVerdict, checker: Address, kind: str, teller: Address
) -> MessageBody | None:
    """What a checker was told in this attempt, as it shows it: of one type, by one sender; None: nothing."""
    expected = (kind, teller, checker, view.state.training, *view.at)
    for signed in verdict.evidence:
        envelope = signed.envelope
        place = (envelope.type, envelope.sender, envelope.recipient, envelope.training)
        if (*place, envelope.round, envelope.attempt) == expected:
            return read_signed(signed, view.context)
    return None


def read_signed(signed: SignedMessage, context: Context) -> MessageBody | None:
    """The body of a message that its sender has signed; None for any other."""
    try:
        signed.verify(context.market)
        body: MessageBody = body_of(signed)
    except ProtocolViolation:
        return None
    return body
