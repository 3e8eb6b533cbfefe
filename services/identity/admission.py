"""What stands between the bus and the inbox: nothing a peer sends is believed before it has passed here."""

from protocol.bodies import body_of
from protocol.envelope import SignedMessage
from protocol.errors import ProtocolViolation
from protocol.marketplace import PartyRole
from protocol.messages import MESSAGE_TYPES, size_limit
from protocol.records import Market
from services.bus.port import Delivery, read_envelope
from services.identity.directory import Directory
from services.identity.keys import Identity


class Admission:
    """Admits messages for one participant."""

    def __init__(
        self,
        identity: Identity,
        market: Market,
        role: PartyRole,
        directory: Directory,
    ) -> None:
        """`market` is the one that the daemon works for, `directory` tells the roles registered there."""
        self._address, self._identity, self._market = identity.address, identity, market
        self._role, self._directory = role, directory

    async def admit(self, delivery: Delivery) -> SignedMessage:
        """The message behind a delivery: addressed, routed, sealed, signed and formed as it must be.

        Raises ProtocolViolation with the reason; a chain that does not answer raises its own error, and the
        delivery stays on the queue.
        """
        limit = size_limit(str(delivery.envelope_fields.get("type")))
        if len(delivery.body) > limit:
            raise ProtocolViolation("oversized", f"{len(delivery.body)} bytes; at most {limit}")
        envelope = read_envelope(delivery.envelope_fields)
        if envelope.recipient != self._address:
            raise ProtocolViolation("wrong_recipient", envelope.recipient)
        envelope.require_market(self._market)
        kind = MESSAGE_TYPES.get(envelope.type)
        if kind is None:
            raise ProtocolViolation("unknown_type", envelope.type)
        own = envelope.sender == self._address
        sender_role = "operator" if own else await self._directory.role_of(envelope.sender)
        if (sender_role, self._role) not in kind.catalogue.routes:
            raise ProtocolViolation("wrong_route", f"a {sender_role} may not send {envelope.type} here")
        signed = SignedMessage.from_parts(envelope, self._identity.unseal(delivery.body))
        signed.verify(self._market)
        body_of(signed, kind)
        return signed
