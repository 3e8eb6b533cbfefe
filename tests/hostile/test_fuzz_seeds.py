"""What `make fuzz` once found, and each parser's valid inputs: read, or refused as the parser declares."""

import pytest

from tests.fuzz.catalogue import all_parsers
from tests.fuzz.search import SEEDS, check, seeds_of

PARSERS = list(all_parsers().values())


@pytest.mark.parametrize("parser", PARSERS, ids=lambda parser: parser.name.replace(" ", "-"))
def test_what_was_found_is_read_or_refused(parser):
    for content in [*parser.examples(), *seeds_of(parser.name)]:
        _ending, problem = check(parser, content)
        assert problem is None, (problem, content[:200])


def test_every_seed_belongs_to_a_parser():
    assert {folder.name for folder in SEEDS.glob("*")} <= set(all_parsers())
