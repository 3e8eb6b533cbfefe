"""What a step adds to the transcript by which its training can be verified later."""

from collections.abc import Sequence

from protocol.codec import pack
from protocol.envelope import SignedMessage
from protocol.roles.dispatch import EncodedStep
from protocol.roles.engine.effects import ReportViolation
from protocol.roles.engine.inputs import EventConfirmed, Input, MessageReceived
from protocol.types import Address
from protocol.verification.transcript import Entry, is_kept


def entries_of(
    step: EncodedStep, item: Input, sent: Sequence[SignedMessage], party: Address, signing_key: bytes
) -> list[bytes]:
    """The packed entries: the input first, unless it was refused, and then what the step sends.

    What was refused changed nothing, and whoever sent it must not be able to spoil the transcript. Masks and
    seeds are put in a box of the party's signing key.
    """
    found: list[Entry] = []
    refused = any(isinstance(effect, ReportViolation) for effect in step.effects)
    match item:
        case MessageReceived(signed=signed) if is_kept(signed) and not refused:
            found.append(Entry.message(signed, party, signing_key))
        case EventConfirmed(chain_event=event) if not event.removed:
            found.append(Entry.event(event))
    found += [Entry.message(signed, party, signing_key) for signed in sent]
    return [pack(entry) for entry in found]
