"""Inputs as the inbox stores them, and the identity by which a second delivery is recognised."""

from eth_hash.auto import keccak

from protocol.codec import pack, unpack
from protocol.envelope import Envelope
from protocol.messages import ChainEvent
from protocol.roles.engine.inputs import Input
from protocol.types import FrozenModel
from services.common.trace_context import split_context


class _Queued(FrozenModel):
    item: Input


def queued(item: Input) -> bytes:
    """An input as bytes."""
    return pack(_Queued(item=item))


def unqueued(content: bytes) -> Input:
    """The input from `queued`, whether it is stored with the context of a trace or without."""
    return unpack(_Queued, split_context(content)[1]).item


def message_identity(envelope: Envelope) -> bytes:
    """The sender counts too: nobody can use up another's message ids."""
    return keccak(b"message" + envelope.sender.encode() + envelope.message_id)


def event_identity(event: ChainEvent) -> bytes:
    """(chain id, block hash, log index): the same log in another block is another event."""
    position = f"{event.chain_id}:{event.log_index}:{event.removed}".encode()
    return keccak(b"event" + event.block_hash + position)


def timer_identity(key: str, name: str, fire_at: float) -> bytes:
    """One firing of one timer."""
    return keccak(f"timer:{key}:{name}:{fire_at!r}".encode())


def refusal_identity(effect: int, refused: bytes) -> bytes:
    """The refusal of the call that an effect was, by the effect's number in the outbox."""
    return keccak(b"refused" + effect.to_bytes(8, "big") + refused)


def answer_identity(cause: bytes, key: str) -> bytes:
    """What an input outside all trainings leads to for one instance; `cause` is that input's content."""
    return keccak(b"answer" + cause + key.encode())
