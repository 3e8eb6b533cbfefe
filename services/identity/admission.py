"""What stands between the bus and the inbox: nothing a peer sends is believed before it has passed here."""

from protocol.bodies import body_of
from protocol.envelope import SignedMessage
from protocol.errors import ProtocolViolation
from protocol.marketplace import PartyRole
from protocol.messages import MESSAGE_TYPES, ROUTES
from services.bus.port import MAXIMUM_BODY_BYTES, Delivery, read_envelope
from services.identity.directory import Directory
from services.identity.keys import Identity


class Admission:
    """Admits messages for one participant."""

    def __init__(self, identity: Identity, role: PartyRole, directory: Directory) -> None:
        """`directory` tells the roles that senders registered on chain."""
        self._address = identity.address
        self._identity = identity
        self._role = role
        self._directory = directory

    async def admit(self, delivery: Delivery) -> SignedMessage:
        """The message behind a delivery: addressed, routed, sealed, signed and formed as it must be.

        Raises ProtocolViolation with the reason; a chain that does not answer raises its own error, and the
        delivery stays on the queue.
        """
        if len(delivery.body) > MAXIMUM_BODY_BYTES:
            raise ProtocolViolation("oversized", f"{len(delivery.body)} bytes; at most {MAXIMUM_BODY_BYTES}")
        envelope = read_envelope(delivery.envelope_fields)
        if envelope.recipient != self._address:
            raise ProtocolViolation("wrong_recipient", envelope.recipient)
        if envelope.type not in MESSAGE_TYPES:
            raise ProtocolViolation("unknown_type", envelope.type)
        own = envelope.sender == self._address
        sender_role = "operator" if own else await self._directory.role_of(envelope.sender)
        if (sender_role, self._role) not in ROUTES[envelope.type]:
            raise ProtocolViolation("wrong_route", f"a {sender_role} may not send {envelope.type} here")
        signed = SignedMessage.from_parts(envelope, self._identity.unseal(delivery.body))
        signed.verify()
        body_of(signed, MESSAGE_TYPES[envelope.type])
        return signed
