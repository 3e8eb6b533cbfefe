"""States of every phase of checked rounds, of every step of an aggregator's round, with every field used."""

import re
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any
from unittest.mock import patch

from pydantic import BaseModel

from protocol.envelope import SignedMessage
from protocol.owner_policy import OwnerPolicy
from protocol.roles import dispatch
from protocol.roles.buyer.rounds import checks, opening
from protocol.roles.dispatch import decode_state
from protocol.roles.engine.inputs import Input
from tests.adversaries.arena import committing_to_a_multiple, replaced
from tests.support.roles.bad_trainers import COLUMN, SCHEDULE, bad_data
from tests.support.roles.checked_markets import checked_request
from tests.support.roles.inferring import OWNERS
from tests.support.roles.phases import deciding
from tests.support.roles.pure_market import AMPLE, PureMarket
from tests.support.roles.pure_party import Party
from tests.support.roles.small_markets import COLUMNS, ONE_ROUND, altered, small_data, without

_INDEFINITE = -40
"""Times the matrix of its rows."""

_SCHEDULE = {"rounds": 2, "local_steps": 2, "step_size": "0.05", "tolerance": 0}


class KeptMarket(PureMarket):
    """Keeps the smallest state of each place that its parties come to; see `place_of`.

    And of each field the smallest state in which it is used (`used_fields`), by role, phase and field.
    """

    def __init__(
        self,
        found: dict[str, bytes],
        *,
        bad: int = 0,
        infers: bool = False,
        carries: bool = False,
        **options: Any,
    ) -> None:
        """Of `bad` rounds, if any, the second is without the first trainer; where it `infers`, five share.

        Where it `carries`, trainers do a dual.
        """
        request, data, validators = checked_request(schedule=_SCHEDULE), small_data(owners=5), [2, 3, 4]
        if bad:
            schedule = {"rounds": bad, **SCHEDULE}
            request, data = checked_request(schedule=schedule, features=[COLUMN]), bad_data(5)
            validators = [3, 4]
        if infers:
            request = checked_request(schedule=ONE_ROUND, inference=True, owners=OWNERS)
            data, validators = small_data(owners=7), [5, 6]
        if carries:
            request = checked_request(schedule={"rounds": 2, "method": "admm", "tolerance": 0})
        super().__init__(request, data, COLUMNS, validators=validators, **options)
        self.found = found
        self.using: dict[tuple[str, str], bytes] = {}

    def deliver(self, party: Party, item: Input) -> Any:
        """A step, whose state is kept where it is the first of its place, or smaller."""
        step = super().deliver(party, item)
        if party.state is not None:
            place = place_of(party.role, party.decoded)
            self.found[place] = min(self.found.get(place, party.state), party.state, key=len)
            for name in used_fields(party.decoded):
                about = f"{party.role}-{party.decoded.phase}", name
                self.using[about] = min(self.using.get(about, party.state), party.state, key=len)
        return step


def place_of(role: str, state: Any) -> str:
    """Role and phase, and how far the round has come that is measured, where that is a state's to know."""
    lane = getattr(state, "evaluation", None)
    return "-".join((role, state.phase, *(() if lane is None else (lane.status,))))


OF_ROUNDS = re.compile(r"\.rounds\b|\.attempts$|\.(aggregator|buyer|owner)\.state$")
"""The modules of what a state remembers of rounds."""


def own_fields(kind: type[BaseModel]) -> dict[str, str]:
    """The fields of a class that a state of rounds is made of, by name: with the class that declares each."""
    declared = {
        name: next(one for one in kind.__mro__ if name in one.__annotations__) for name in kind.model_fields
    }
    return {
        name: f"{one.__name__}.{name}" for name, one in declared.items() if OF_ROUNDS.search(one.__module__)
    }


def used_fields(value: BaseModel) -> frozenset[str]:
    """The fields of checked rounds in a state, or in a value of it, that hold something but their default."""
    return frozenset(_used(value))


def _used(value: BaseModel) -> Iterator[str]:
    kind = type(value)
    own = own_fields(kind)
    for name, field in kind.model_fields.items():
        held = getattr(value, name)
        is_used = field.is_required() or held != field.get_default(call_default_factory=True)
        if name in own and (is_used or name in {"status", "phase"}):
            yield own[name]
        for one in held if isinstance(held, tuple) else (held,):
            if isinstance(one, BaseModel):
                yield from _used(one)


def _lying(market: KeptMarket, kind: str, seats: tuple[int, ...], **changes: Any) -> None:
    """Have these seats' owners change what they send of a type."""
    liars = {market.owners[seat].address for seat in seats}

    def intercept(signed: SignedMessage) -> tuple[SignedMessage, ...]:
        envelope = signed.envelope
        concerned = envelope.type == kind and envelope.sender in liars
        return (altered(market, signed, **changes) if concerned else signed,)

    market.intercept = intercept


DENIALS: tuple[tuple[Any, str, Any], ...] = (
    (checks, "open_zero", None),
    (checks, "open_sums", [None]),
    (opening, "record_of", None),
)
"""What a buyer calls where it says that a test is not zero, or that sums or errors are out of range."""


def _ends(market: KeptMarket, *replaced: tuple[Any, str, Any]) -> None:
    with ExitStack() as stack:
        for module, name, value in replaced:
            stack.enter_context(patch.object(module, name, lambda *_a, value=value, **_k: value))
        market.start()
        market.finish()


def checked_states() -> tuple[dict[str, bytes], dict[str, bytes]]:
    """Packed states by place, and further ones by role, phase and a field that is used in none of those.

    Of trainings that go well, are given up, repeat a round without a bad trainer, are measured again without
    somebody who is silent or lies, or with other checkers, whose trainers carry duals, of owners that
    decline, that share what standard errors are made of, of one whose matrix is no sum of squares, and of
    buyers whose word is against a round.
    """
    found: dict[str, bytes] = {}
    markets = [KeptMarket(found) for _ in range(9)]
    _good, given_up, unsigned, again, stuck, absent, false_share, false_question, other_model = markets
    # Of two rounds the second is the last one, which is not repeated.
    repeating, final = KeptMarket(found, bad=3), KeptMarket(found, bad=2)
    declining = KeptMarket(found, policy=OwnerPolicy(budget=AMPLE))
    given_up.intercept = without("moment_answer")
    unsigned.intercept = without("round_signature")
    again.intercept = without("proven_metric", sender=again.owners[2])
    stuck.intercept = without("zero_test_consent")
    absent.intercept = without("checked_ready", sender=absent.owners[4])
    _lying(false_share, "ring_shared", (2, 3, 4), seed=b"s" * 32)
    _lying(false_question, "zero_test_shown", (2, 3, 4), question_seed=b"s" * 32)
    other_model.intercept = lambda signed: (
        altered(other_model, signed, model_roots=()) if signed.envelope.type == "round_evidence" else signed,
    )
    declining.intercept = lambda message: deciding(declining, message)
    inferring, lacking = (KeptMarket(found, infers=True) for _ in range(2))
    _lying(lacking, "information_sum", (5,), total=b"", silent=(lacking.owners[0].address,))
    carrying = KeptMarket(found, carries=True)
    for market in (*markets, repeating, final, declining, inferring, lacking, carrying):
        _ends(market)
    indefinite = KeptMarket(found)
    indefinite.run_step = dispatch.run_step  # what honest parties do is remembered otherwise
    with replaced(committing_to_a_multiple(lambda: indefinite.owners[2].address, _INDEFINITE)):
        _ends(indefinite)
    denied = [KeptMarket(found) for _ in DENIALS]
    for market, denial in zip(denied, DENIALS, strict=True):
        market.run_step = dispatch.run_step  # what honest parties do is remembered otherwise
        _ends(market, denial)
    ended = (*markets, repeating, final, declining, inferring, lacking, carrying, indefinite, *denied)
    return found, _further(found, [market.using for market in ended])


def _further(found: dict[str, bytes], using: list[dict[tuple[str, str], bytes]]) -> dict[str, bytes]:
    """The fewest states that use, with those found by place, every field that any of them uses."""
    smallest: dict[tuple[str, str], bytes] = {}
    for one in using:
        for about, state in one.items():
            smallest[about] = min(smallest.get(about, state), state, key=len)
    covered = {name for place, state in found.items() for name in _decoded_fields(place, state)}
    further: dict[str, bytes] = {}
    for (place, name), state in sorted(smallest.items(), key=lambda one: -len(one[1])):
        if name not in covered:
            further[f"{place}-{name}"] = state
            covered |= _decoded_fields(place, state)
    return further


def _decoded_fields(place: str, state: bytes) -> frozenset[str]:
    return used_fields(decode_state(place.partition("-")[0], state))
