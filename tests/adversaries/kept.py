"""What honest parties keep of a training with an adversary in it, and what its judge must not find there."""

from collections.abc import Iterator

from protocol.verification.report import Report
from protocol.verification.verify import verify_entries
from tests.adversaries.arena import Arena
from tests.support.roles.pure_party import Party
from tests.support.roles.transcripts import entries_of, expected, header_of


def report_of(arena: Arena, party: Party) -> Report:
    """Of what this party has kept, by its own key."""
    return verify_entries(header_of(party), entries_of(arena, party), expected(party.signing_key))


def wrongly_kept(arena: Arena) -> list[str]:
    """Whom honest parties' transcripts convict that is honest, and which do not hold for no reason."""
    return [found for party in arena.honest() for found in _wrong(arena, party)]


def _wrong(arena: Arena, party: Party) -> Iterator[str]:
    report, role = report_of(arena, party), arena.role_of(party.address)
    for one in report.blames:
        if one.finding == "convicted" and one.accused != arena.adversary:
            yield f"a {role}'s transcript convicts a {arena.role_of(one.accused)}: {one.code}"
    failure = report.failure
    # What was kept from a party it does not have, whoever kept it.
    if failure is None or failure.code == "missing_message" or arena.adversary == arena.aggregator.address:
        return
    if arena.adversary not in failure.detail:
        yield f"a {role}'s transcript does not hold: {failure}"
