"""What transcripts show of errors that were opened, and what is altered of them: part of `make campaigns`."""

from collections.abc import Callable
from functools import cache
from itertools import product
from unittest.mock import patch

import pytest

from protocol.envelope import SignedMessage
from protocol.roles.rounds.opened_errors import ErrorsFault, ErrorsVerdict, SaidErrors
from protocol.verification.report import Report
from protocol.verification.transcript import Entry
from protocol.verification.verify import verify_entries
from tests.adversaries.arena import Arena
from tests.adversaries.catalogue import by_name
from tests.adversaries.run import played
from tests.protocol.verification.denied_attempts import blames, report_of
from tests.support.roles.bad_trainers import bad_trainer
from tests.support.roles.small_markets import altered, body_of
from tests.support.roles.transcripts import entries_of, expected, header_of, signed_of

SUMS, NAMED, NEGATIVE = (
    "buyer: sums denied",
    "buyer: plausible error named, 8",
    "validator: indefinite matrix",
)
CODES = {SUMS: "wrong_moments", NAMED: "errors_denied", NEGATIVE: "indefinite_matrix"}


@cache
def arena_of(name: str) -> Arena:
    return played(by_name()[name]).arena


def repeated() -> Arena:
    arena = bad_trainer(owners=6)
    arena.finish()
    return arena


# ---- both ways ----


@pytest.mark.parametrize("with_key", [True, False])
@pytest.mark.parametrize("name", [NAMED, NEGATIVE, "buyer: plausible error named, 48"])
def test_who_is_at_fault_by_opened_errors_is_convicted_whoever_reads_of_it(name, with_key):
    arena = arena_of(name)
    found = blames(report_of(arena, arena.aggregator, with_key=with_key))
    code = "indefinite_matrix" if name == NEGATIVE else "errors_denied"
    assert found == {(code, "convicted", arena.adversary)}


@pytest.mark.parametrize("with_key", [True, False])
def test_a_buyer_whose_word_is_true_was_misnamed(with_key):
    with patch.object(
        SaidErrors,
        "judge",
        lambda _self, _product, _body, _known, buyer, _r: ErrorsVerdict(
            (ErrorsFault(buyer, "errors_denied"),)
        ),
    ):
        arena = repeated()
    assert arena.aggregator.decoded.failure == "errors_denied"
    failure = report_of(arena, arena.aggregator, with_key=with_key).failure
    assert failure is not None
    assert failure.code == "misnamed"


@pytest.mark.parametrize("place", [0, 1, 2])
def test_of_members_the_one_with_the_negative_part_alone_is_convicted(place):
    """An aggregator names another one in its place."""

    def other(said: SaidErrors, *_others: object) -> ErrorsVerdict:
        return ErrorsVerdict((ErrorsFault(list(said.weights)[place], "indefinite_matrix"),))

    with patch.object(SaidErrors, "judge", other):
        arena = played(by_name()[NEGATIVE]).arena
    members = [one.address for one in arena.validators()]
    report = report_of(arena, arena.aggregator)
    if members[place] == arena.adversary:
        assert blames(report) == {("indefinite_matrix", "convicted", arena.adversary)}
    else:
        assert report.failure is not None
        assert report.failure.code == "misnamed"


# ---- what is altered ----

OF_OTHERS = [
    *product(CODES, ("ring_opening", "ring_nonce", "ring_shared")),
    (NAMED, "opening_refused"),
    (NEGATIVE, "opening_refused"),
]


def changed(arena: Arena, kind: str, change: Callable[[Entry], Entry], *, own: bool) -> Report:
    """The aggregator's, with each message of a type that it has sent, or received, changed."""
    party, entries = arena.aggregator, list[Entry]()
    for entry in entries_of(arena, party):
        if entry.kind != "event":
            signed = signed_of(entry, party)
            if signed.envelope.type == kind and (signed.envelope.sender == party.address) == own:
                entries.append(change(entry))
                continue
        entries.append(entry)
    return verify_entries(header_of(party), entries, expected(party.signing_key))


@pytest.mark.parametrize(("name", "kind"), OF_OTHERS)
def test_no_byte_of_what_others_signed_can_be_altered(name, kind):
    def flipped(entry: Entry) -> Entry:
        place = len(entry.content) // 2
        byte = bytes([entry.content[place] ^ 1])
        return entry.model_copy(update={"content": entry.content[:place] + byte + entry.content[place + 1 :]})

    assert changed(arena_of(name), kind, flipped, own=False).failure is not None


OWN = [
    (SUMS, "ring_shared"),
    (SUMS, "ring_committed"),
    (SUMS, "ring_opening_request"),
    (NAMED, "ring_opening_request"),
]


@pytest.mark.parametrize(("name", "kind"), OWN)
def test_who_alters_its_own_messages_convicts_nobody_by_them(name, kind):
    """An aggregator under its own key: what it puts there makes another product than all three signed."""
    arena = arena_of(name)

    def resigned(signed: SignedMessage) -> SignedMessage:
        body = body_of(signed)
        match kind:
            case "ring_shared" if body.seed is not None:
                return altered(arena, signed, seed=b"s" * 32)
            case "ring_committed" if body.purpose == "ranges":
                return altered(arena, signed, share=b"s" * 32)
            case "ring_opening_request":
                return altered(arena, signed, product=body.product[::-1])
        return signed

    party = arena.aggregator
    report = changed(
        arena,
        kind,
        lambda entry: Entry.message(resigned(signed_of(entry, party)), party.address, party.signing_key),
        own=True,
    )
    assert CODES[name] not in {one.code for one in report.blames if one.finding == "convicted"}
