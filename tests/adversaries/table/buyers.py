"""Buyers that cheat: they hold the key, and are asked about masked numbers alone."""

from collections.abc import Sequence
from typing import Any

from protocol.envelope import SignedMessage
from protocol.messages.rounds.ring import OpenedVector
from protocol.messages.rounds.values import Shown
from protocol.roles.buyer.rounds import checks, exchanges
from tests.adversaries.arena import Arena, Deed, Replaced
from tests.adversaries.declaration import Adversary, Money, Wrapping
from tests.adversaries.deeds import changing, flipped, honestly, shift, withholding, withholding_when
from tests.adversaries.outcome import Outcome
from tests.adversaries.switches import answering
from tests.adversaries.table.aggregators import SUMS

ANSWER = "moment_answer"
FIRST_SINGLE = 5
"""The place of the first E in an answer about two weights, after five products."""
ZERO_PROVEN = answering(
    "the proof that a test is zero", True, "protocol.roles.owner.rounds.projection:_is_proven"
)
TEST_SHOWN = "zero_test_evidence"
WHO_IS_LEFT = "it is who is left where the request holds and all trainers are in range"
SILENT = "silence is no message: the others' clocks stand against it"


def _buyer(name: str, does: str, deed: Deed, **more: Any) -> Adversary:
    section = more.pop("section", "In a round")
    return Adversary(name, "buyer", does, section, deed, **{"money": Money.REFUNDED, **more})


def _later(name: str, does: str, deed: Deed, **more: Any) -> Adversary:
    return _buyer(name, does, deed, late=True, **more)


def answering_falsely(place: int, by: int) -> Wrapping:
    """One number of its answers is of so much more."""

    def wrapping(arena: Arena) -> Sequence[Replaced]:
        written = exchanges.write_ciphertexts

        def write(key: Any, numbers: Any) -> Any:
            return shift(written(key, numbers), arena, by, place)

        return (Replaced(exchanges, "write_ciphertexts", write),)

    return wrapping


def _is_taken(outcome: Outcome) -> bool:
    return outcome.is_whole and outcome.is_wrong


def _claimed(_arena: Arena, _body: Any, _message: SignedMessage) -> dict[str, Any]:
    return {"opening": Shown(plaintext=0, root=1)}


def _out_of_range(_arena: Arena, body: Any, _message: SignedMessage) -> dict[str, Any]:
    return {"vectors": tuple(OpenedVector() for _ in body.vectors)}


def _other_sums(_arena: Arena, body: Any, _message: SignedMessage) -> dict[str, Any]:
    def moved(one: Shown) -> Shown:
        return Shown(plaintext=one.plaintext + 1, root=one.root)

    return {"vectors": tuple(OpenedVector(openings=tuple(map(moved, one.openings))) for one in body.vectors)}


def answering_checkers_falsely(arena: Arena) -> Sequence[Replaced]:
    """One product of what a checker asks about is another."""
    flat = checks.flat_answer

    def another(answer: Any) -> Any:
        first, *others = flat(answer)
        key = arena.key.public_key
        return [first * key.lift(1) % key.n_squared, *others]

    return (Replaced(checks, "flat_answer", another),)


def denying_zero(_arena: Arena) -> Sequence[Replaced]:
    return (Replaced(checks, "open_zero", lambda *_: None),)


def denying_sums(_arena: Arena) -> Sequence[Replaced]:
    return (Replaced(checks, "open_sums", lambda *_: [None]),)


def _another_test(_arena: Arena, body: Any, _message: SignedMessage) -> dict[str, Any]:
    *others, last = body.openings
    return {"openings": (*others, Shown(plaintext=last.plaintext + 1, root=last.root))}


def _another_question(arena: Arena, body: Any, _message: SignedMessage) -> dict[str, Any]:
    return {"request": shift(body.request, arena)}


def _of_ranges(body: Any, _message: SignedMessage) -> bool:
    return bool(body.purpose == "ranges")


def one_checker(type_name: str) -> Deed:
    """The first checker of the first attempt is answered, the second one is not."""

    def deed(arena: Arena, message: SignedMessage) -> Sequence[SignedMessage]:
        envelope = message.envelope
        kept = envelope.type == type_name and envelope.recipient == arena.checkers()[1]
        return () if kept and envelope.attempt == 1 else (message,)

    return deed


_ENDED = ("aggregator: ended, buyer_silent",)

BUYERS = (
    _buyer(
        "wrong product",
        "answers one product falsely",
        honestly,
        wrapping=answering_falsely(0, 1 << 198),
        caught=("validator: not in order, projection", "aggregator: ended, wrong_moments"),
        named=True,
        switch=ZERO_PROVEN,
        wins=_is_taken,
    ),
    _buyer(
        "wrong E",
        "answers one factor of the masks falsely",
        honestly,
        wrapping=answering_falsely(FIRST_SINGLE, 1 << 100),
        caught=("validator: not in order, projection", "aggregator: ended, wrong_moments"),
        named=True,
        switch=ZERO_PROVEN,
        wins=lambda outcome: "validator: not in order, projection" not in outcome.findings,
    ),
    _buyer(
        "wrong quotient",
        "moves one weight of the next model",
        honestly,
        wrapping=answering_falsely(-1, 1 << 60),
        caught=("validator: not in order, next_model", "aggregator: ended, wrong_moments"),
        named=True,
        switch=SUMS,
        wins=lambda outcome: outcome.is_whole,
    ),
    _buyer(
        "wrong dual",
        "moves one weight of what one trainer carries into the next round",
        honestly,
        wrapping=answering_falsely(-1, 1 << 60),
        carries=True,
        rounds=2,
        caught=("validator: not in order, next_model", "aggregator: ended, wrong_moments"),
        named=True,
        switch=SUMS,
        wins=_is_taken,
    ),
    _buyer(
        "zero claimed",
        "answers falsely, and says that the tests are zero",
        changing("zero_test_result", _claimed),
        wrapping=answering_falsely(0, 1 << 198),
        caught=("validator: not in order, projection", "aggregator: ended, bad_opening"),
        named=True,
        switch=ZERO_PROVEN,
        wins=_is_taken,
    ),
    _later(
        "zero denied",
        "says that a test is not zero",
        honestly,
        wrapping=denying_zero,
        caught=("validator: not in order, projection", "aggregator: ended, zero_denied"),
        named=True,
        unswitched=WHO_IS_LEFT,
    ),
    *(
        _later(
            f"zero denied, {shows}",
            f"says that a test is not zero, and {does}",
            deed,
            wrapping=denying_zero,
            caught=("validator: not in order, projection", f"aggregator: ended, {code}"),
            named=True,
            unswitched=WHO_IS_LEFT,
        )
        for shows, does, deed, code in (
            ("shown falsely", "shows another number", changing(TEST_SHOWN, _another_test), "bad_opening"),
            ("of another", "shows another question", changing(TEST_SHOWN, _another_question), "bad_opening"),
            (
                "with nothing",
                "opens nothing",
                changing(TEST_SHOWN, lambda *_: {"openings": ()}),
                "bad_opening",
            ),
            ("not shown", "shows nothing", withholding(TEST_SHOWN), "buyer_silent"),
        )
    ),
    _later(
        "wrong answer to a checker",
        "answers checkers' questions falsely",
        honestly,
        wrapping=answering_checkers_falsely,
        caught=("validator: not in order, projection", "aggregator: ended, wrong_products"),
        named=True,
        unswitched=WHO_IS_LEFT,
    ),
    _buyer(
        "another question's answer",
        "names another request than it was asked",
        changing(ANSWER, lambda _a, body, _m: {"request_digest": flipped(body.request_digest)}),
        caught=("aggregator: other_request", *_ENDED),
        named=True,
        unswitched="the checkers' questions stand behind it",
    ),
    _buyer(
        "no numbers",
        "answers with zeros",
        changing(ANSWER, lambda _a, body, _m: {"numbers": tuple(bytes(len(one)) for one in body.numbers)}),
        caught=("aggregator: bad_ciphertext", *_ENDED),
        named=True,
        unswitched="nothing can be computed with zeros",
    ),
    _later(
        "sums denied",
        "says that the next model is out of range",
        honestly,
        wrapping=denying_sums,
        caught=("validator: not in order, next_model", "aggregator: ended, wrong_moments"),
        named=True,
        unswitched=WHO_IS_LEFT,
    ),
    *(
        _later(
            f"sums denied, ranges {shows}",
            f"says that the next model is out of range, and {does}",
            deed,
            wrapping=denying_sums,
            caught=("validator: not in order, next_model", f"aggregator: ended, {code}"),
            named=True,
            unswitched=WHO_IS_LEFT,
        )
        for shows, does, deed, code in (
            ("opened falsely", "opens others", changing("ring_opening", _other_sums), "bad_opening"),
            ("denied", "that trainers are", changing("ring_opening", _out_of_range), "bad_opening"),
            ("not opened", "opens none", withholding_when(_of_ranges, "ring_opening"), "buyer_silent"),
        )
    ),
    _later(
        "other sums",
        "opens the next model's sums falsely",
        changing("ring_opening", _other_sums),
        caught=("validator: not in order, next_model", "aggregator: ended, bad_opening"),
        named=True,
        unswitched=WHO_IS_LEFT,
    ),
    *(
        _buyer(
            f"silence: {kind}",
            f"does not send its {kind}",
            withholding(kind),
            caught=_ENDED,
            named=True,
            unswitched=SILENT,
        )
        for kind in (ANSWER, "projection_answer", "zero_test_result", "ring_opening", "opening")
    ),
    *(
        _later(
            f"silence to one: {kind}",
            f"sends its {kind} to one checker alone",
            one_checker(kind),
            money=Money.PAID,
            unswitched=SILENT,
        )
        for kind in ("ring_opening", "zero_test_result", "projection_answer")
    ),
)
