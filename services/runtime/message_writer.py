"""Messages that a step sends: signed, sealed and packed."""

from protocol.messages import Invitation, Message
from services.identity.directory import Directory
from services.identity.keys import Identity
from services.identity.signing import outgoing
from services.runtime.outbox_relay import packed_message


class Courier:
    """Signs and seals a party's messages."""

    def __init__(self, identity: Identity, directory: Directory) -> None:
        """`directory` tells to which key to seal."""
        self._identity, self._directory = identity, directory

    async def message(
        self,
        recipient: str,
        body: Message,
        training: int,
        *,
        message_id: bytes,
        place: tuple[int, int] = (0, 0),
    ) -> tuple[str, bytes]:
        """The outbox entry of a message; `place` is (round, attempt).

        Raises ProtocolViolation("not_registered") for a recipient the chain does not know.
        """
        # Who is invited has not joined: the chain has no key of this training for it.
        joined = 0 if isinstance(body, Invitation) else training
        exchange_key = await self._directory.sealing_key_of(joined, recipient)
        role = await self._directory.role_of(recipient)
        message = outgoing(
            self._identity,
            (role, recipient),
            body,
            training,
            exchange_key=exchange_key,
            message_id=message_id,
            place=place,
        )
        return packed_message(message)
