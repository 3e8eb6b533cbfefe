"""What a step adds to the transcript by which its training can be verified later."""

from collections.abc import Sequence

from protocol.codec import pack
from protocol.envelope import SignedMessage
from protocol.roles.dispatch import EncodedStep
from protocol.roles.engine.inputs import EventConfirmed, Input, MessageReceived
from protocol.types import Address
from protocol.verification.transcript import Entry, is_kept


def entries_of(
    step: EncodedStep, item: Input, sent: Sequence[SignedMessage], party: Address, signing_key: bytes
) -> list[bytes]:
    """The packed entries: the input first, then those that had waited for it, and then what the step sends.

    What was refused, or came too late, changed nothing, and whoever sent it must not be able to spoil the
    transcript: neither by itself, nor by having it wait so that it is refused in the step of another message.
    So what waits is no entry before it is taken. Masks and seeds are put in a box of the party's signing key.
    """
    found: list[Entry] = []
    if isinstance(item, EventConfirmed) and not item.chain_event.removed:
        found.append(Entry.event(item.chain_event))
    messages = [taken.signed for taken in step.taken if isinstance(taken, MessageReceived)]
    kept = [signed for signed in messages if is_kept(signed)]
    found += [Entry.message(signed, party, signing_key) for signed in (*kept, *sent)]
    return [pack(entry) for entry in found]
