"""All parsers by name."""

from functools import cache

from tests.fuzz import chain_parsers, file_parsers, wire_parsers
from tests.fuzz.parser import Parser


@cache
def all_parsers() -> dict[str, Parser]:
    """Every parser of untrusted bytes."""
    groups = (wire_parsers, chain_parsers, file_parsers)
    return {parser.name: parser for group in groups for parser in group.parsers()}
