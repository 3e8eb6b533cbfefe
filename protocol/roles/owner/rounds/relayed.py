"""An opening that the aggregator relays: a checker takes it as if it came from the buyer.

The buyer may open to some alone. By its signed word to the aggregator all go on from the same opening: nobody
waits for what the buyer has kept from it, and is told as silent.
"""

from protocol.bodies import body_of
from protocol.crypto.ring.context import Purpose
from protocol.messages.rounds import OpeningRelayed, RingOpening
from protocol.roles.engine.context import Context, Step
from protocol.roles.engine.inputs import Received
from protocol.roles.engine.refusals import require
from protocol.roles.owner.rounds import errors, ranges
from protocol.roles.owner.state import OwnerState, RunningState
from protocol.roles.shared.parties import require_sender


def on_opening_relayed(
    state: RunningState, received: Received[OpeningRelayed], context: Context
) -> Step[OwnerState]:
    """Judge the opening ourselves, also where the buyer has sent us another one.

    Raises ProtocolViolation("wrong_evidence") for anything but what the buyer has signed for the aggregator
    in this attempt, and "wrong_purpose" for what has nothing follow from it.
    """
    aggregator, signed = state.request.aggregator, received.body.opening
    require_sender(received.sender, aggregator)
    envelope = signed.envelope
    place = (envelope.type, envelope.sender, envelope.recipient, envelope.training)
    expected = ("ring_opening", state.opened.buyer, aggregator, state.training)
    is_of_attempt = (envelope.round, envelope.attempt) == received.at
    require(place == expected and is_of_attempt, "wrong_evidence", "no opening of this attempt")
    signed.verify(context.market)
    opening = Received(signed, body_of(signed, RingOpening))
    if Purpose(opening.body.purpose) is Purpose.RANGES:
        return ranges.on_opened(state, opening, context, is_relayed=True)
    require(Purpose(opening.body.purpose) is Purpose.ERRORS, "wrong_purpose", opening.body.purpose)
    return errors.on_opened(state, opening, context, is_relayed=True)
