"""Messages on their way out: under an envelope, signed with the sender's key, sealed to the recipient's."""

import os
import time

from protocol.codec import pack
from protocol.envelope import Envelope, SignedMessage
from protocol.marketplace import PartyRole
from protocol.messages import Message
from protocol.records import Market
from services.bus.port import Outgoing
from services.identity.keys import Identity
from services.identity.sealing import seal


def signed_message(
    identity: Identity,
    recipient: str,
    body: Message,
    training: int,
    *,
    market: Market,
    message_id: bytes,
    place: tuple[int, int] = (0, 0),
) -> SignedMessage:
    """A message as its recipient finds it in the seal; `place` is (round, attempt).

    The signature counts in `market` alone.
    """
    envelope = Envelope(
        message_id=message_id,
        type=body.type,
        training=training,
        round=place[0],
        attempt=place[1],
        sender=identity.address,
        recipient=recipient,
        sent_at=int(time.time() * 1000),
        chain_id=market.chain_id,
        contract=market.contract,
    )
    return SignedMessage.create(envelope, pack(body), identity.signing_key)


def sealed(signed: SignedMessage, role: str, exchange_key: bytes) -> Outgoing:
    """A message for the bus, to a recipient in this role with this key."""
    return Outgoing(role, signed.envelope, seal(signed.sealed_part(), exchange_key))


def order_to_self(
    identity: Identity, market: Market, role: PartyRole, body: Message, training: int = 0
) -> Outgoing:
    """An operator's order to its own daemon in one market: sender and recipient are the same."""
    message_id = os.urandom(16)
    signed = signed_message(identity, identity.address, body, training, market=market, message_id=message_id)
    return sealed(signed, role, identity.exchange_key)
