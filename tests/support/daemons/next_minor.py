"""A party of the next minor version: every body has a field more, and it sends a type that nobody knows."""

import os
import time

import msgpack

from protocol.codec import unpack
from protocol.envelope import MAJOR, MINOR, Envelope, SignedMessage
from services.bus.port import Outgoing
from services.identity.keys import Identity
from services.identity.sealing import seal
from services.participants.assembly import Participant
from services.runtime.effects import MessageWriter, PendingMessage, packed_message
from tests.support.daemons.watched_demo import WatchedMarket

VERSION = f"{MAJOR}.{MINOR + 1}"


class NextMinorWriter(MessageWriter):
    """Signs bodies with a field of the next version under envelopes of the next version."""

    async def message(self, recipient, body, training, *, message_id, place=(0, 0)):
        entry, kept = await super().message(recipient, body, training, message_id=message_id, place=place)
        _, content = entry
        pending = unpack(PendingMessage, content)
        envelope = pending.envelope.model_copy(update={"version": VERSION})
        longer = msgpack.packb({**body.model_dump(), "since_next_minor": b"new"})
        key = await self._directory.exchange_key_of(training, recipient)
        sealed = _sealed(self._identity, envelope, longer, key)
        return packed_message(Outgoing(pending.recipient_role, envelope, sealed)), kept


class NextMinorMarket(WatchedMarket):
    """A market in which the parties of one role are a minor version ahead."""

    ahead = ""

    def _participant(self, identity, rpc, role, role_in) -> Participant:
        made = super()._participant(identity, rpc, role, role_in)
        if role == self.ahead:
            writer = NextMinorWriter(identity, made.client.market, made.runtime._writer._directory)
            made.runtime._writer = made.runtime._steps._writer = writer
        return made

    async def order(self, request):
        for sender in self.parties:
            if sender.runtime.role.name == self.ahead:
                for recipient in self.parties:
                    if recipient is not sender:
                        await sender.bus.publish(_unknown(sender, recipient))
        return await super().order(request)


def _unknown(sender: Participant, recipient: Participant) -> Outgoing:
    envelope = Envelope(
        version=VERSION,
        message_id=os.urandom(16),
        type="progress_note",
        training=0,
        sender=sender.identity.address,
        recipient=recipient.identity.address,
        sent_at=int(time.time() * 1000),
        **sender.client.market.model_dump(),
    )
    sealed = _sealed(sender.identity, envelope, b"x", recipient.identity.exchange_key)
    return Outgoing(recipient.runtime.role.name, envelope, sealed)


def _sealed(identity: Identity, envelope: Envelope, body: bytes, key: bytes) -> bytes:
    signed = SignedMessage.create(envelope, body, identity.signing_key)
    return seal(signed.sealed_part(), key)
