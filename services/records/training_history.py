"""What happened in a training, from the facts that its daemon noted: rounds, their times, what failed.

Pure: for `deltaml history` and for consoles. A daemon knows what it has seen itself, so the histories that
two parties have of one training differ.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from protocol.roles.engine import facts
from protocol.roles.rounds.faults import OF_COMPLAINTS, SILENT_MEMBERS
from services.records.round_checks import Checks, checks_of
from services.store import InstanceRow

FAILURES = frozenset(
    fact.name
    for fact in (
        facts.VIOLATION,
        facts.INPUT_REFUSED,
        facts.EVENT_REFUSED,
        facts.INPUT_DROPPED,
        facts.SET_ASIDE,
        facts.DROPPED,
        facts.COMPLAINT,
        facts.UNDELIVERABLE,
        facts.IMPLAUSIBLE,
        facts.GAVE_UP,
        facts.CHECK_FAILED,
        facts.NAMED,
        facts.ATTEMPT_OVER,
        facts.ANSWERED_TOO_LATE,
        facts.OPENING_LATE,
        facts.REQUEST_REFUSED,
        facts.OPEN_REFUSED,
        facts.JOIN_REFUSED,
        facts.MODEL_NOT_CONFIRMED,
        facts.MODEL_NOT_DELIVERED,
        facts.CANCELLED,
    )
)
"""Facts that somebody may have to look into."""

ROUND_ENDS = (facts.ROUND_RECORDED.name, facts.ROUND_SIGNED.name)
"""Facts that end a round; an aggregator notes the second, buyer and owners the first."""

ROUND_STARTS = (facts.STARTED.name, facts.ROLE_DRAWN.name, *ROUND_ENDS)
"""Facts after which a round is under way."""


_AGAIN = SILENT_MEMBERS | OF_COMPLAINTS | {"update_late", "unproven_metric"}
"""Codes of whom the others went on without, in another attempt."""


class Fact(NamedTuple):
    """As `Store.facts` has it; `at` in seconds since 1970."""

    name: str
    data: Mapping[str, Any]
    at: float


@dataclass(frozen=True, slots=True)
class RoundHistory:
    """One round; times in seconds since 1970, None where the daemon did not see it.

    `attempts` counts the first and one for each time that somebody was too late in the round; `dropped` has
    addresses, `violations` codes.
    """

    number: int
    started_at: float | None
    finished_at: float | None
    attempts: int = 1
    dropped: tuple[str, ...] = ()
    violations: tuple[str, ...] = ()

    @property
    def seconds(self) -> float | None:
        """How long it took."""
        if self.started_at is None or self.finished_at is None:
            return None
        return self.finished_at - self.started_at


@dataclass(frozen=True, slots=True)
class TrainingHistory:
    """One training of one party. `ended_at` is None while it runs.

    `retries` are effects that took place, but not at the first attempt.
    """

    instance: InstanceRow
    began_at: float
    ended_at: float | None
    rounds: tuple[RoundHistory, ...]
    failures: tuple[Fact, ...]
    retries: tuple[Fact, ...]

    @property
    def checks(self) -> Checks:
        """What was found wrong in its rounds, and who is held to blame."""
        return checks_of(self.failures)


def history_of(
    instance: InstanceRow, told: Sequence[tuple[str, Mapping[str, Any], float]]
) -> TrainingHistory:
    """The history of an instance from its facts, in the order they were noted."""
    noted = [Fact(*entry) for entry in told]
    return TrainingHistory(
        instance=instance,
        began_at=min((fact.at for fact in noted), default=instance.updated_at),
        ended_at=instance.updated_at if instance.finished else None,
        rounds=_rounds(noted, is_over=instance.finished),
        failures=tuple(fact for fact in noted if fact.name in FAILURES),
        retries=tuple(fact for fact in noted if fact.name == facts.LATE.name),
    )


def _rounds(noted: Sequence[Fact], *, is_over: bool) -> tuple[RoundHistory, ...]:
    """A round begins where the one before ended; troubles belong to the round they name, or that runs.

    A training that ended in the midst of a round has that one too, where something went wrong with it.
    """
    rounds: list[RoundHistory] = []
    began: float | None = None
    troubles: list[Fact] = []
    for fact in noted:
        if fact.name in ROUND_ENDS:
            number = int(fact.data.get("round", len(rounds) + 1))
            rounds.append(_round(number, began, fact.at, troubles))
        if fact.name in ROUND_STARTS:
            began = fact.at
        if fact.name in FAILURES:
            troubles.append(fact)
    number = rounds[-1].number + 1 if rounds else 1
    if began is not None and (not is_over or any(one.data.get("round") == number for one in troubles)):
        rounds.append(_round(number, began, None, troubles))
    return tuple(rounds)


def _round(number: int, began: float | None, ended: float | None, troubles: list[Fact]) -> RoundHistory:
    """The round, with its own troubles taken out of `troubles`."""
    own = [trouble for trouble in troubles if trouble.data.get("round", number) == number]
    troubles[:] = [trouble for trouble in troubles if trouble not in own]
    drops = [trouble for trouble in own if trouble.name == facts.DROPPED.name]
    over = {trouble.data["attempt"] for trouble in own if trouble.name == facts.ATTEMPT_OVER.name}
    missed = [drop for drop in drops if drop.data["code"] in _AGAIN and drop.data.get("attempt") not in over]
    return RoundHistory(
        number,
        began,
        ended,
        attempts=1 + len(over) + len({_missed(drop) for drop in missed}),
        dropped=tuple(str(drop.data["participant"]) for drop in drops),
        violations=tuple(
            str(trouble.data.get("code", trouble.name)) for trouble in own if trouble not in drops
        ),
    )


def _missed(drop: Fact) -> tuple[str, int | float]:
    """The attempt that somebody missed: those who are told of several at once hear of each by itself."""
    return str(drop.data["code"]), drop.data.get("attempt", drop.at)
