"""What came of a market with an adversary: who said what of whom, what was recorded, who was paid."""

from collections import Counter
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from protocol.learning.descent import affine_map, step_size_of
from protocol.learning.plaintext import (
    Averaging,
    Matrix,
    OwnerData,
    RoundMetrics,
    consensus,
    round_metrics,
)
from protocol.messages.rounds import CheckVerdict, RingConsent
from protocol.roles.rounds.faults import SILENCES
from protocol.types import seats_of
from services.records.round_checks import checks_of
from tests.adversaries.arena import Arena
from tests.support.roles.pay import credited, recomputed
from tests.support.roles.plain_market import owner_data
from tests.support.roles.pure_contract import recorded_errors
from tests.support.roles.small_markets import body_of

TOLERANCE = 2e-6
"""In squared target units: the noise in an opened error."""


@dataclass(frozen=True)
class Outcome:
    """An arena in which nothing is under way any more."""

    arena: Arena

    # ---- what honest parties say ----

    @cached_property
    def findings(self) -> set[str]:
        """Everything that an honest party noticed, as "role: code"."""
        arena, found = self.arena, {f"admission: {code}" for code in self.arena.turned_away}
        for party in arena.honest():
            role = arena.role_of(party.address)
            found |= {f"{role}: {one.code}" for one in party.violations}
            found |= {f"{role}: left out, {code}" for _, code in self._dropped(party.address)}
        for message in arena.wire:
            if message.envelope.sender != arena.adversary:
                found |= {
                    f"{arena.role_of(message.envelope.sender)}: {said}" for said in _said(body_of(message))
                }
        failure = getattr(arena.aggregator.decoded, "failure", "")
        return found | (
            {f"aggregator: ended, {failure}"} if failure and self._is_honest_aggregator else set()
        )

    @property
    def _is_honest_aggregator(self) -> bool:
        return self.arena.adversary != self.arena.aggregator.address

    def _dropped(self, reporter: str) -> list[tuple[str, str]]:
        facts = self.arena.parties[reporter].facts if reporter == self.arena.aggregator.address else []
        return [
            (str(one.data["participant"]), str(one.data["code"])) for one in facts if one.name == "dropped"
        ]

    @cached_property
    def left_out(self) -> set[str]:
        """Whom an honest aggregator went on without."""
        reporter = self.arena.aggregator.address
        return {who for who, _ in self._dropped(reporter)} if self._is_honest_aggregator else set()

    @cached_property
    def named(self) -> set[str]:
        """Of whom an honest party says that it has done what it must not, or kept a training from its end."""
        arena, found = self.arena, set[str]()
        for party in arena.honest():
            for fact in party.facts:
                if fact.name in ("complaint", "accused", "named") and party.address != fact.data["accused"]:
                    found.add(str(fact.data["accused"]))
            found |= {who for who, code in self._dropped(party.address) if code not in SILENCES}
        if self._is_honest_aggregator:
            faults = (body_of(message).fault for message in arena.sent("training_failed"))
            found |= {fault for fault in faults if fault}
        return found

    @cached_property
    def shown_to_blame(self) -> set[str]:
        """Whom honest parties' pages hold to blame: with an honest aggregator, or by what they saw."""
        found = set[str]()
        for party in self.arena.honest():
            blamed = checks_of((fact.name, fact.data, 0.0) for fact in party.facts).blamed
            found |= {one.accused for one in blamed if one.seen or self._is_honest_aggregator}
        return found

    @property
    def bugs(self) -> list[str]:
        """Inputs that an honest party could not handle for a fault of its own."""
        facts = (fact for party in self.arena.honest() for fact in party.facts)
        return [str(fact.data) for fact in facts if fact.name == "input_refused"]

    # ---- what was recorded ----

    @property
    def recorded(self) -> int:
        """How many rounds."""
        return len(self.arena.contract.recorded)

    @property
    def is_whole(self) -> bool:
        """Whether all rounds were recorded and paid."""
        rounds = self.arena.request.schedule.rounds
        return self.recorded == rounds and self.arena.contract.status == "settled"

    @cached_property
    def is_true(self) -> bool:
        """Whether every record is what its trainers' and validators' rows give in plain numbers."""
        records = zip(recorded_errors(self.arena.contract), _plain_rounds(self.arena), strict=True)
        return all(
            np.allclose((start, after, *own, *cross), _numbers(plain), rtol=0, atol=TOLERANCE)
            for (start, after, own, cross), plain in records
        )

    @property
    def is_wrong(self) -> bool:
        """Whether something was recorded that is not so."""
        return self.recorded > 0 and not self.is_true

    # ---- what was paid ----

    @cached_property
    def pay(self) -> Counter[str]:
        """Wei by account, without what goes back to the buyer."""
        paid: Counter[str] = Counter()
        for (account, share), amount in self._credited.items():
            if share != "refund":
                paid[account] += amount
        return paid

    @property
    def _credited(self) -> Counter[tuple[str, str]]:
        ledger = self.arena.contract.ledger
        return credited(ledger.credited if ledger else ())

    @property
    def lost_bonds(self) -> list[tuple[str, str]]:
        """Whose bond was lost to which fault."""
        bonds = self.arena.contract.bonds
        return [(one.account, one.fault) for one in bonds.lost] if bonds else []

    @cached_property
    def is_paid_by_rule(self) -> bool:
        """Whether the contract's credits follow from what it published."""
        due = recomputed(self.arena.contract.events)
        return all(due[one] >= amount for one, amount in self._credited.items() if one[1] != "refund")

    # ---- what was answered ----

    def answers(self, type_name: str) -> int:
        """Different messages of a type that honest parties have sent."""
        sent = (one for one in self.arena.sent(type_name) if one.envelope.sender != self.arena.adversary)
        return len({(one.body, one.envelope.recipient) for one in sent})

    def answers_at(self, type_name: str, attempt: int) -> int:
        """The same of one attempt at any round."""
        sent = (one for one in self.arena.sent(type_name) if one.envelope.sender != self.arena.adversary)
        return sum(one.envelope.attempt == attempt for one in sent)


def _said(body: object) -> list[str]:
    if isinstance(body, CheckVerdict) and not body.in_order:
        return [f"not in order, {body.ground}"]
    return ["refuses, share"] if isinstance(body, RingConsent) and body.refused else []


def _numbers(plain: RoundMetrics) -> tuple[float, ...]:
    return (plain.start, plain.after, *plain.own, *plain.cross)


def _plain_rounds(arena: Arena) -> list[RoundMetrics]:
    """The same rounds in plain numbers, each by its record's trainers and validators."""
    owners = [owner_data(arena, arena.parties[seat]) for seat in arena.contract.seats]
    schedule, l2 = arena.request.schedule, float(arena.request.model.ridges[0])
    steps = {"step_size": step_size_of(arena.request), "l2": l2, "local_steps": schedule.local_steps}
    maps = [affine_map(one.factor, **steps) for one in owners]
    model = np.array([float(weight) for weight in arena.request.start_weights()])
    carried = _plain_consensus(arena, owners, model) if schedule.is_admm else None
    found = []
    for number, event in enumerate(arena.contract.recorded):
        seats = list(seats_of(event.record.trainers))
        if carried is None:
            local = np.array([matrix @ model + offset for matrix, offset in (maps[seat] for seat in seats)])
        else:
            local = carried.local_models[number][seats]
        found.append(
            round_metrics([owners[seat] for seat in seats_of(event.record.validators)], model, local)
        )
        model = local.mean(axis=0)
    return found


def _plain_consensus(arena: Arena, owners: list[OwnerData], start: Matrix) -> Averaging:
    """By the trainers of the records, which are those that have answered."""
    request = arena.request
    answered = [list(seats_of(event.record.trainers)) for event in arena.contract.recorded]
    return consensus(
        [one.factor for one in owners],
        start,
        penalty=float(request.schedule.penalty),
        l2=float(request.model.l2),
        answered=answered,
    )
