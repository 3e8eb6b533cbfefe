"""What was found wrong in a training's rounds, and who is held to blame, from the facts that a daemon noted.

Pure: for consoles, the command line and metrics. A party knows what it was told or saw itself, so two
parties may hold different ones to blame; whom, by what it saw itself, is a fact `named`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from protocol.roles.engine import facts
from protocol.roles.rounds.faults import OF_COMPLAINTS, OF_EVIDENCE, OF_PROOFS, SILENCES

TROUBLES = frozenset(
    fact.name
    for fact in (
        facts.CHECK_FAILED,
        facts.ATTEMPT_OVER,
        facts.NAMED,
        facts.COMPLAINT,
        facts.DROPPED,
        facts.IMPLAUSIBLE,
        facts.GAVE_UP,
    )
)
"""Facts of a round that does not go as it should."""

GROUNDS = frozenset(
    {
        "start_contested",
        "proof_contested",
        "request_contested",
        "subtraction_contested",
        "products_contested",
        "question_contested",
        "next_model_contested",
        "shown_contested",
        "no_ground",
    }
)
"""What a checker says of an attempt, in `check_failed`."""

NOBODY = frozenset({"contested", "verdict_late"})
"""Codes of attempts that end without anybody being left out."""

FAULTS = OF_COMPLAINTS | OF_PROOFS | OF_EVIDENCE
"""Codes of what somebody has done, as the signed messages show."""

ENDS = frozenset(
    {
        "bad_opening",
        "buyer_silent",
        "errors_denied",
        "errors_late",
        "implausible",
        "indefinite_matrix",
        "no_request",
        "out_of_range",
        "ranges_late",
        "round_not_recorded",
        "stopped_by_aggregator",
        "stopped_by_buyer",
        "too_few_signatures",
        "too_few_trainers",
        "too_few_validators",
        "widths_do_not_fit",
        "wrong_moments",
        "wrong_products",
        "zero_denied",
    }
)
"""Codes that an aggregator gives a training up with."""

CODES = GROUNDS | SILENCES | NOBODY | FAULTS
"""All of a round; a fact that came from a peer may hold any other."""

CODES_OF: Mapping[str, frozenset[str]] = {
    facts.CHECK_FAILED.name: GROUNDS,
    facts.ATTEMPT_OVER.name: SILENCES | NOBODY | FAULTS | {""},
    facts.NAMED.name: FAULTS,
    facts.COMPLAINT.name: FAULTS,
    facts.DROPPED.name: SILENCES | FAULTS,
    facts.IMPLAUSIBLE.name: frozenset({""}),
    facts.GAVE_UP.name: ENDS,
}
"""The codes that our own roles give each of the troubles, "" for none."""


@dataclass(frozen=True, slots=True)
class Blamed:
    """Who is held to blame for what, and by whom; `round` is None of a training's end.

    `seen` is true where this party has seen it itself, and does not only know it from the aggregator.
    """

    accused: str
    code: str
    round: int | None
    seen: bool = False


@dataclass(frozen=True, slots=True)
class Objection:
    """What a checker said of an attempt."""

    checker: str
    attempt: int
    code: str


@dataclass(frozen=True, slots=True)
class RoundChecks:
    """A round in which something was wrong.

    `over` are (attempt, code) of the attempts that came to nothing, the code "" where this party was not
    told; `missing` (address, code) of those who were left out for silence.
    """

    number: int
    over: tuple[tuple[int, str], ...] = ()
    objections: tuple[Objection, ...] = ()
    missing: tuple[tuple[str, str], ...] = ()
    is_implausible: bool = False

    @property
    def attempts(self) -> int:
        """How many there were, as far as this party knows."""
        spoken = (*(attempt for attempt, _code in self.over), *(one.attempt for one in self.objections))
        return max((1 + len(self.over), *spoken))


@dataclass(frozen=True, slots=True)
class Checks:
    """All of a training; `gave_up` is the code that it was ended with, None where it was not given up.

    `silent` are those that the aggregator says it waited for in vain when it gave up.
    """

    rounds: tuple[RoundChecks, ...] = ()
    blamed: tuple[Blamed, ...] = ()
    gave_up: str | None = None
    last_round: int | None = None
    silent: tuple[str, ...] = ()

    @property
    def is_clean(self) -> bool:
        """Whether nothing was ever wrong."""
        return not (self.rounds or self.blamed or self.gave_up)


Noted = tuple[str, Mapping[str, Any], float]
"""A fact as `Store.facts` has it: name, data, and when in Unix seconds."""


def checks_of(noted: Iterable[Noted]) -> Checks:
    """What was wrong, by round, and who is to blame; each only once, however often it was told."""
    told = [(name, data) for name, data, _at in noted if name in TROUBLES]
    ends = [data for name, data in told if name == facts.GAVE_UP.name]
    numbers = sorted({int(data["round"]) for _name, data in told if "round" in data})
    rounds = (_round(number, told) for number in numbers)
    return Checks(
        rounds=tuple(one for one in rounds if one != RoundChecks(one.number)),
        blamed=_blamed(told),
        gave_up=str(ends[-1]["code"]) if ends else None,
        last_round=int(ends[-1]["last_round"]) if ends else None,
        silent=tuple(str(one) for one in ends[-1].get("silent", ())) if ends else (),
    )


Told = tuple[str, Mapping[str, Any]]


def _round(number: int, told: list[Told]) -> RoundChecks:
    def of(fact: facts.Fact) -> list[Mapping[str, Any]]:
        return [data for name, data in told if name == fact.name and int(data["round"]) == number]

    over = {int(one["attempt"]): str(one.get("code", "")) for one in of(facts.ATTEMPT_OVER)}
    objections = [
        Objection(str(one["checker"]), int(one["attempt"]), str(one["code"]))
        for one in of(facts.CHECK_FAILED)
    ]
    missing = [
        (str(one["participant"]), str(one["code"])) for one in of(facts.DROPPED) if one["code"] not in FAULTS
    ]
    return RoundChecks(
        number=number,
        over=tuple(sorted(over.items())),
        objections=tuple(dict.fromkeys(objections)),
        missing=tuple(dict.fromkeys(missing)),
        is_implausible=bool(of(facts.IMPLAUSIBLE)),
    )


def _blamed(told: list[Told]) -> tuple[Blamed, ...]:
    """Of one fault of one party that was noted twice the earlier place, and whether it was seen once.

    The end of a training that comes of a fault names its maker again, by the end's code: only where nothing
    else is known of it does that say why.
    """
    found: dict[tuple[str, str], Blamed] = {}
    for name, data in told:
        accused = _accused(name, data)
        if accused is None:
            continue
        if name == facts.GAVE_UP.name and any(one.accused == accused for one in found.values()):
            continue
        place = (accused, str(data["code"]))
        before = found.get(place)
        round_number = int(data["round"]) if "round" in data else None
        seen = name == facts.NAMED.name or (before is not None and before.seen)
        found[place] = Blamed(*place, round_number if before is None else before.round, seen)
    return tuple(found.values())


def _accused(name: str, data: Mapping[str, Any]) -> str | None:
    """Whom a fact holds to blame; None for one that names nobody, or tells of silence alone."""
    if name == facts.DROPPED.name and data["code"] in FAULTS:
        return str(data["participant"])
    return str(data["accused"]) if "accused" in data else None
