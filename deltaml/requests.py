"""Requests as Python has them: a document, a file, or the parsed one."""

import os
from collections.abc import Mapping
from typing import Any, TypeAlias

from protocol.request import Request
from services.common.accents import composed
from services.common.documents import load_request, request_fields
from services.common.problems import request_in

Document: TypeAlias = Request | Mapping[str, Any] | str | os.PathLike[str]
"""A request, its fields as YAML has them, or the path of a YAML file."""


def request_of(document: Document) -> Request:
    """The request, its accents in one form (NFC), in which tables have their columns' names and levels.

    Raises ConfigurationError for a file, MisuseError naming every field that is wrong.
    """
    match document:
        case Request():
            fields = document.model_dump(mode="json")
            return document if composed(fields) == fields else request_in(composed(fields))
        case Mapping():
            return request_in(request_fields(document))
        case _:
            return load_request(os.fspath(document))
