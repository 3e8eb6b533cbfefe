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


def outgoing(
    identity: Identity,
    recipient: tuple[str, str],
    body: Message,
    training: int,
    *,
    market: Market,
    exchange_key: bytes,
    message_id: bytes,
    place: tuple[int, int] = (0, 0),
) -> Outgoing:
    """`recipient` is (role, address), `exchange_key` its key, `place` (round, attempt).

    The signature counts in `market` alone.
    """
    role, address = recipient
    envelope = Envelope(
        message_id=message_id,
        type=body.type,
        training=training,
        round=place[0],
        attempt=place[1],
        sender=identity.address,
        recipient=address,
        sent_at=int(time.time() * 1000),
        chain_id=market.chain_id,
        contract=market.contract,
    )
    signed = SignedMessage.create(envelope, pack(body), identity.signing_key)
    return Outgoing(role, envelope, seal(signed.sealed_part(), exchange_key))


def order_to_self(
    identity: Identity, market: Market, role: PartyRole, body: Message, training: int = 0
) -> Outgoing:
    """An operator's order to its own daemon in one market: sender and recipient are the same."""
    return outgoing(
        identity,
        (role, identity.address),
        body,
        training,
        market=market,
        exchange_key=identity.exchange_key,
        message_id=os.urandom(16),
    )
