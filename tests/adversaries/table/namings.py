"""Buyers that name a trainer whose error is plausible, so that it sits out and is not paid."""

from collections.abc import Sequence
from typing import Any

from protocol.messages.opening import ImplausibleError
from protocol.roles.buyer.rounds import opening
from tests.adversaries.arena import Arena, Replaced
from tests.adversaries.declaration import Adversary, Money, Wrapping
from tests.adversaries.deeds import honestly
from tests.adversaries.switches import answering

SEEN = answering(
    "the errors that were named, as each maker sees them",
    True,
    "protocol.roles.rounds.opened_errors:is_borne_out",
)


def naming(power: int) -> Wrapping:
    """The first trainer of the round, for an error that it says is so many limits."""

    def named(facts: Any, _plaintexts: Any, *, parties: Any, **_others: Any) -> Sequence[ImplausibleError]:
        return (ImplausibleError(trainer=parties.addresses(facts.trainers)[0], power=power),)

    def wrapping(_arena: Arena) -> Sequence[Replaced]:
        refused = Replaced(opening, "record_of", lambda *_a, **_k: None)
        return (refused, Replaced(opening, "named_errors", named))

    return wrapping


NAMINGS = tuple(
    Adversary(
        f"plausible error named, {power}",
        "buyer",
        f"says that a trainer's plausible error is up to 2^{power} limits",
        "In a round",
        honestly,
        wrapping=naming(power),
        late=True,
        rounds=3,
        caught=("aggregator: ended, errors_denied",),
        named=True,
        money=Money.REFUNDED,
        switch=SEEN,
        wins=lambda outcome: bool(outcome.left_out),
    )
    for power in (8, 48)
)
