"""What a role remembers between two inputs: one type for each phase, and blobs beside it.

A state is stored flat, with `phase` telling its type. What a phase has no use for is no field of its type:
reading (`Machine.read`) drops fields that the phase's type does not have, so that states of earlier versions,
which had one type with the fields of all phases, are read as well. A new field needs a default.
"""

import dataclasses
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any, TypeVar

from eth_hash.auto import keccak
from pydantic import BaseModel

from protocol.codec import pack, unpack
from protocol.request import Request
from protocol.roles.engine.context import Context
from protocol.roles.engine.effects import Effect, StoreBlob
from protocol.types import Digest, FrozenModel, TrainingId

S = TypeVar("S", bound=FrozenModel)
P = TypeVar("P", bound="PhaseState")
T = TypeVar("T", bound=BaseModel)


class PhaseState(FrozenModel):
    """Base of every state; each phase's own type gives `phase` its one value as default."""

    phase: str
    training: TrainingId | None = None


def phase_of(kind: type[PhaseState]) -> str:
    """The phase that a state type stands for."""
    return str(kind.model_fields["phase"].default)


def replace(state: S, **fields: Any) -> S:
    """The state with some fields replaced, checked like a new one."""
    return type(state).model_validate({**dict(state), **fields})


def enter(kind: type[P], state: PhaseState, **fields: Any) -> P:
    """The state of another phase: it keeps what both phases remember, with `fields` new or replaced."""
    kept = {name: value for name, value in state if name in kind.model_fields and name != "phase"}
    return kind.model_validate({**kept, **fields})


class BlobRef(FrozenModel):
    """A reference to content that the store keeps under its digest while a state refers to it."""

    digest: Digest

    def load(self, kind: type[T], context: Context) -> T:
        """The content, which an earlier step of this role has written."""
        return unpack(kind, context.blobs[self.digest])

    def raw(self, context: Context) -> bytes:
        """The content as bytes."""
        return context.blobs[self.digest]


def store(value: BaseModel | bytes) -> tuple[BlobRef, StoreBlob]:
    """A reference to `value` and the effect that keeps it."""
    content = value if isinstance(value, bytes) else pack(value)
    digest = keccak(content)
    return BlobRef(digest=digest), StoreBlob(digest=digest, content=content)


def with_new_blobs(context: Context, effects: Iterable[Effect]) -> Context:
    """The context with what these effects of the same step store: no store has it yet."""
    fresh = {effect.digest: effect.content for effect in effects if isinstance(effect, StoreBlob)}
    return dataclasses.replace(context, blobs={**context.blobs, **fresh})


_LEAVES = frozenset({bytes, int, bool, str, float, Decimal, type(None), Request})
"""Types of nearly all values of a state. A request is a document of the buyer's, which knows of no store."""


def references(value: object) -> Iterator[bytes]:
    """Every digest that a state refers to, however deep, in no order."""
    waiting: list[object] = [value]
    while waiting:
        one = waiting.pop()
        inner: Iterable[object] = ()
        if isinstance(one, BlobRef):
            yield one.digest
        elif isinstance(one, BaseModel):
            inner = vars(one).values()
        elif isinstance(one, tuple):
            inner = one
        elif isinstance(one, Mapping):
            inner = one.values()
        waiting.extend(part for part in inner if type(part) not in _LEAVES)
