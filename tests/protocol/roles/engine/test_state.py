"""Which digests a state refers to."""

from decimal import Decimal
from typing import Any, get_args

from pydantic import BaseModel

from protocol.request import Request
from protocol.roles.engine.state import BlobRef, references
from protocol.types import FrozenModel


class Within(FrozenModel):
    own: BlobRef | None
    numbers: tuple[int, ...] = (1, 2)
    share: Decimal = Decimal("0.5")


class Around(FrozenModel):
    first: BlobRef
    within: tuple[Within, ...]
    named: dict[str, tuple[BlobRef, ...]]


def blob(number: int) -> BlobRef:
    return BlobRef(digest=bytes([number]) * 32)


def test_references_are_found_at_every_depth() -> None:
    within = (Within(own=blob(2)), Within(own=None))
    state = Around(first=blob(1), within=within, named={"a": (blob(3), blob(4)), "b": ()})
    assert {digest[0] for digest in references(state)} == {1, 2, 3, 4}
    assert {digest[0] for digest in references((blob(5), blob(6)))} == {5, 6}
    assert list(references(Within(own=None))) == []


def models_within(kind: Any, found: set[type[BaseModel]]) -> set[type[BaseModel]]:
    """Every model that a value of this type may hold."""
    if isinstance(kind, type) and issubclass(kind, BaseModel) and kind not in found:
        found.add(kind)
        for field in kind.model_fields.values():
            models_within(field.annotation, found)
    for argument in get_args(kind):
        models_within(argument, found)
    return found


def test_a_request_which_is_not_looked_into_can_hold_no_reference() -> None:
    found = models_within(Request, set())
    assert len(found) > 10
    assert BlobRef not in found
    assert BlobRef in models_within(Around, set())
