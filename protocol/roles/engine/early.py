"""Inputs that came before their phase: who may have one kept, how much of it, and where.

What waits is kept in blobs that the state refers to, not in the state: a state that grew with what others
send would end above what can be read again. A message of somebody who can be no party of the training is
refused. One whose sender is not known yet waits behind those of parties: it is the first to go.

Beyond the bounds nobody's messages but the greediest sender's give way: whoever sends little is heard,
whatever others send. A message that has found no room is asked for again by the deadline of its step.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from protocol.codec import unpack
from protocol.errors import ProtocolViolation
from protocol.messages import MAXIMUM_BODY_BYTES, MESSAGE_TYPES
from protocol.roles.engine.effects import StoreBlob
from protocol.roles.engine.inputs import Input, MessageReceived
from protocol.roles.engine.state import BlobRef, store
from protocol.types import Address, FrozenModel

MAXIMUM_HELD = 1024
"""Early messages kept per training: enough for every seat's few messages."""
MAXIMUM_HELD_OF_ONE = 64
"""Early messages kept of one sender."""
HELD_BYTES_OF_ONE = MAXIMUM_BODY_BYTES + 2**20
"""Of one sender's early messages together: the largest message can wait."""
HELD_BYTES = 2 * HELD_BYTES_OF_ONE
"""Of a training's early messages together: every step takes them along."""


@dataclass(frozen=True, slots=True)
class Members:
    """Who takes part, as far as a state knows it; None is what it does not know yet."""

    buyer: Address | None
    aggregator: Address | None
    owners: frozenset[Address] | None

    def includes(self, sender: Address, message_type: str) -> bool | None:
        """Whether a sender of this type is a party; None where that cannot be said yet."""
        roles = {role for role, _ in MESSAGE_TYPES[message_type].catalogue.routes}
        known: list[frozenset[Address] | None] = []
        if "model_buyer" in roles:
            known.append(None if self.buyer is None else frozenset({self.buyer}))
        if "federated_aggregator" in roles:
            known.append(None if self.aggregator is None else frozenset({self.aggregator}))
        if "data_owner" in roles:
            known.append(self.owners)
        if any(sender in some for some in known if some is not None):
            return True
        return None if None in known else False


class HeldInput(FrozenModel):
    """The content of an early input's blob."""

    item: Input


class EarlyReference(FrozenModel):
    """An early input: its content by digest, and what counts towards the bounds.

    Only a message has a `sender`: what the daemon itself has taken in is always kept.
    """

    blob: BlobRef
    name: str
    sender: Address | None = None
    size: int = 0
    party: bool = True


class EarlyInputs:
    """What waits in one training, during a step."""

    def __init__(self, references: Sequence[EarlyReference], contents: Mapping[bytes, bytes]) -> None:
        """`contents` holds the blobs of all references."""
        self.references = list(references)
        self.contents = dict(contents)
        self.stored: dict[bytes, StoreBlob] = {}

    def load(self, reference: EarlyReference) -> Input:
        """An early input as it came."""
        return unpack(HeldInput, self.contents[reference.blob.digest]).item

    def effects(self) -> Iterator[StoreBlob]:
        """What is to be stored of what waits after the step."""
        for reference in self.references:
            if reference.blob.digest in self.stored:
                yield self.stored[reference.blob.digest]

    def hold(self, item: Input, name: str, *, party: bool = True) -> list[EarlyReference]:
        """Keep an early input, once; returns what has found no room, the input itself included."""
        blob, effect = store(HeldInput(item=item))
        if any(reference.blob == blob for reference in self.references):
            return []
        sender = item.signed.envelope.sender if isinstance(item, MessageReceived) else None
        self.references.append(
            EarlyReference(
                blob=blob,
                name=name,
                sender=sender,
                size=len(effect.content),
                party=party,
            )
        )
        self.contents[blob.digest] = effect.content
        self.stored[blob.digest] = effect
        return self._give_way()

    def _give_way(self) -> list[EarlyReference]:
        """Drop the newest of the greediest sender until all are within the bounds."""
        dropped: list[EarlyReference] = []
        while (sender := self._over_the_bounds()) is not None:
            last = max(place for place, one in enumerate(self.references) if one.sender == sender)
            dropped.append(self.references.pop(last))
        return dropped

    def _over_the_bounds(self) -> Address | None:
        """The sender whose newest message has to go, if one has to."""
        of_sender: dict[Address, list[EarlyReference]] = {}
        for reference in self.references:
            if reference.sender is not None:
                of_sender.setdefault(reference.sender, []).append(reference)
        sizes = {sender: sum(one.size for one in own) for sender, own in of_sender.items()}
        for sender, own in of_sender.items():
            if len(own) > MAXIMUM_HELD_OF_ONE or sizes[sender] > HELD_BYTES_OF_ONE:
                return sender
        if sum(map(len, of_sender.values())) <= MAXIMUM_HELD and sum(sizes.values()) <= HELD_BYTES:
            return None
        return max(sizes, key=lambda sender: (not of_sender[sender][-1].party, sizes[sender]))


def require_party(members: Members, own: Address, item: Input) -> bool:
    """Whether an early input is known to be of a party; True for what nobody sent.

    Raises ProtocolViolation("not_a_party") for a message of somebody who can be none.
    """
    if not isinstance(item, MessageReceived) or item.signed.envelope.sender == own:
        return True
    envelope = item.signed.envelope
    known = members.includes(envelope.sender, envelope.type)
    if known is False:
        raise ProtocolViolation("not_a_party", f"{envelope.sender} takes no part in this training")
    return known is True
