"""After every cheat of `make adversaries`, what honest parties keep: part of `make campaigns`.

Whatever is recorded verifies, and nobody honest is convicted of anything. A cheat of the aggregator may show
in what others keep: then it is found there, or has misnamed somebody.
"""

import pytest

from protocol.verification.report import Report
from protocol.verification.verify import verify_entries
from tests.adversaries.arena import Arena
from tests.adversaries.catalogue import ALL, by_name
from tests.adversaries.run import played
from tests.support.roles.pure_party import Party
from tests.support.roles.transcripts import entries_of, expected, header_of


def report_of(arena: Arena, party: Party) -> Report:
    return verify_entries(header_of(party), entries_of(arena, party), expected(party.signing_key))


@pytest.mark.parametrize("name", [name for name, one in by_name().items() if not one.crashes])
def test_what_honest_parties_keep_convicts_nobody_honest(name):
    arena = played(by_name()[name]).arena
    for party in arena.honest():
        report = report_of(arena, party)
        convicted = {one.accused for one in report.blames if one.finding == "convicted"}
        assert convicted <= {arena.adversary}
        if report.failure is not None:
            assert arena.adversary == arena.aggregator.address, report.failure
            assert report.failure.code in ("misnamed", "two_versions")


def test_all_of_them_are_tried():
    assert len(by_name()) == len(ALL)
