"""What is wrong with a configuration, a line for each key, with what was probably meant."""

import difflib
from collections.abc import Iterator
from typing import get_args

from pydantic import BaseModel, ValidationError


def lines_of(error: ValidationError, model: type[BaseModel]) -> list[str]:
    """The lines for a document that does not fit `model`; no value of the document is in them."""
    return [_line(model, item["type"], item["loc"], item["msg"]) for item in error.errors()]


def _line(model: type[BaseModel], kind: str, location: tuple[int | str, ...], message: str) -> str:
    name = ".".join(str(part) for part in location)
    if kind != "extra_forbidden":
        return f"{name}: {message.removeprefix('Value error, ')}"
    known = _fields_at(model, location[:-1])
    near = difflib.get_close_matches(str(location[-1]), known, n=1, cutoff=0.5)
    return f"{name}: unknown key; " + (
        f"did you mean {near[0]!r}?" if near else f"known are {', '.join(known)}"
    )


def _fields_at(model: type[BaseModel], location: tuple[int | str, ...]) -> list[str]:
    for part in location:
        if isinstance(part, str):  # a number is the place in a tuple, whose items have one model
            model = next(_models_in(model.model_fields[part].annotation))
    return list(model.model_fields)


def _models_in(annotation: object) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _models_in(argument)
