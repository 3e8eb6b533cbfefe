"""What is secret or large is in no repr: an error's text, a log and a failed assertion show that.

Each class of `protocol` and `services` that holds values is made with a mark in every field, and shown.
"""

import dataclasses
import pkgutil
import re
from collections.abc import Iterator
from importlib import import_module
from typing import Annotated, Any, NamedTuple, get_args

import numpy as np
import pytest
from annotated_types import MaxLen
from gmpy2 import mpz
from pydantic import BaseModel, Field

import protocol
import services

LONGEST_SHOWN = 65
"""Bytes: a signature's."""

SECRET_NAME = re.compile(r"(^|_)(seed|signing_key|private|password|p|q)($|_)")
"""Of bytes that are hidden however short."""

CONTENT_NAME = re.compile(
    r"^(content|body|bodies|data|parts|chunks|state|sealed|policy|values|effects|delayed)$"
)
"""Of bytes, or of what holds bytes or arrays, whose length the type of a dataclass does not say."""


class Mark(bytes):
    """A value that is found in whatever shows it."""

    def __repr__(self) -> str:
        return f"<mark {self.decode()}>"

    def __iter__(self) -> Iterator[int]:
        return iter(())


def classes() -> Iterator[type]:
    """Every dataclass, model and named tuple that the two packages define."""
    for package in (protocol, services):
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if found.name.endswith((".__main__", ".kernel")) or ".migrations" in found.name:
                continue
            module = import_module(found.name)
            for one in vars(module).values():
                if isinstance(one, type) and one.__module__ == found.name and fields(one):
                    yield one


def fields(kind: type) -> dict[str, Any]:
    """The annotations of a class's values, by name; none of a class that holds none."""
    if dataclasses.is_dataclass(kind):
        return {one.name: one.type for one in dataclasses.fields(kind)}
    if issubclass(kind, BaseModel):
        return {name: (one.annotation, *one.metadata) for name, one in kind.model_fields.items()}
    if issubclass(kind, tuple) and hasattr(kind, "_fields"):
        return dict(kind.__annotations__)
    return {}


def shown(kind: type) -> str:
    """The repr of one whose fields are all marks."""
    marks = {name: Mark(name.encode()) for name in fields(kind)}
    if issubclass(kind, BaseModel):
        return repr(kind.model_construct(**marks))
    if issubclass(kind, tuple):
        return repr(kind(*marks.values()))
    made = object.__new__(kind)
    for name, mark in marks.items():
        object.__setattr__(made, name, mark)
    return repr(made)


def contents_shown(kind: type) -> list[str]:
    """The fields that a class shows and must not."""
    has_lengths = issubclass(kind, BaseModel)
    hidden = [
        name
        for name, annotation in fields(kind).items()
        if is_secret_or_large(name, annotation, has_lengths=has_lengths)
    ]
    text = shown(kind) if hidden else ""
    return [name for name in hidden if f"<mark {name}>" in text]


def is_secret_or_large(name: str, annotation: Any, *, has_lengths: bool) -> bool:
    """By name and type: arrays, sequences of ciphertexts, and bytes longer than a signature."""
    text = str(annotation)
    if SECRET_NAME.search(name) and "bytes" in text and "OneUse" not in text:
        return True
    if "numpy.ndarray" in text and "Callable" not in text:
        return True
    if "mpz" in text and re.search(r"(tuple|list|Sequence)\[", text) and "Callable" not in text:
        return True
    if not has_lengths:
        return bool(CONTENT_NAME.match(name) and "bytes" in text)
    return any(most is None or most > LONGEST_SHOWN for most in lengths_of_bytes(annotation))


def lengths_of_bytes(annotation: Any, most: int | None = None) -> Iterator[int | None]:
    """The longest that each bytes in a model's field may be; None where nothing says so."""
    if annotation is bytes:
        yield most
        return
    inner = annotation if isinstance(annotation, tuple) else get_args(annotation)
    bounds = [bound for one in inner for bound in (one, *getattr(one, "metadata", ()))]
    own = next((one.max_length for one in bounds if isinstance(one, MaxLen)), None)
    for one in inner:
        if one is bytes or get_args(one) or isinstance(one, tuple):
            yield from lengths_of_bytes(one, own)


@pytest.mark.parametrize("kind", list(classes()), ids=lambda kind: f"{kind.__module__}.{kind.__name__}")
def test_no_content_is_in_a_repr(kind: type) -> None:
    assert contents_shown(kind) == []


@dataclasses.dataclass
class Telling:
    """Shows what it must not, beside what it may."""

    digest: bytes
    content: bytes
    rows: np.ndarray[Any, Any]
    numbers: tuple[mpz, ...]


class TellingModel(BaseModel):
    """The same, where types say how long bytes are."""

    signature: Annotated[bytes, Field(max_length=65)]
    root: Annotated[bytes, Field(max_length=66)]
    roots: tuple[Annotated[bytes, Field(max_length=512)], ...]
    rest: bytes | None
    hidden: Annotated[bytes, Field(repr=False)]


class TellingTuple(NamedTuple):
    """The same of a named tuple."""

    key: str
    body: bytes


def test_a_content_that_is_shown_is_found() -> None:
    assert contents_shown(Telling) == ["content", "rows", "numbers"]
    assert contents_shown(TellingModel) == ["root", "roots", "rest"]
    assert contents_shown(TellingTuple) == ["body"]
