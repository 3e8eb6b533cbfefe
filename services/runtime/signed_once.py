"""No step of a daemon signs a second record of a round, however old the state is that it starts from."""

from protocol.messages import Opening, RoundSignature
from protocol.records import Market
from protocol.roles.dispatch import EncodedStep
from protocol.roles.engine.effects import SendMessage
from services.identity.signed_rounds import SignedRounds


def require_signed_once(step: EncodedStep, market: Market, signed: SignedRounds) -> None:
    """Note what a step signs, before any of it is stored or sent.

    Raises ProtocolViolation("signed_otherwise") where the party has signed another record of the round.
    """
    for effect in step.effects:
        if isinstance(effect, SendMessage) and isinstance(effect.body, Opening | RoundSignature):
            signed.require(market, step.training or 0, effect.round, effect.body.signature)
