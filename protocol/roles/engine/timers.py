"""Every timer that a role sets: its name and what it waits for. No other names are used.

The stored name of a timer is `name`, or `name:about` for those of a round or attempt. A timer that is set
again under the same stored name is replaced.
"""

from dataclasses import dataclass
from typing import Generic, TypeVar

from protocol.roles.engine.effects import CancelTimer, SetTimer
from protocol.types import RoundAttempt

A_co = TypeVar("A_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Timer(Generic[A_co]):
    """A kind of timer; its handler is told what the one that fired is about."""

    name: str
    waits_for: str

    def about(self, stored_name: str) -> A_co:
        """What the timer of this stored name is about."""
        raise NotImplementedError


class TrainingTimer(Timer[None]):
    """A timer of which a training has one at a time; there is nothing to be told."""

    def about(self, stored_name: str) -> None:
        """Nothing."""

    def set(self, seconds: float) -> SetTimer:
        """Have it fire after so many seconds."""
        return SetTimer(name=self.name, seconds=seconds)

    def cancel(self) -> CancelTimer:
        """Have it not fire."""
        return CancelTimer(name=self.name)


class RoundTimer(Timer[int]):
    """A timer of one round."""

    def about(self, stored_name: str) -> int:
        """The round."""
        return int(stored_name.partition(":")[2])

    def set(self, seconds: float, round_number: int) -> SetTimer:
        """Have it fire after so many seconds."""
        return SetTimer(name=f"{self.name}:{round_number}", seconds=seconds)

    def cancel(self, round_number: int) -> CancelTimer:
        """Have it not fire."""
        return CancelTimer(name=f"{self.name}:{round_number}")


class AttemptTimer(Timer[RoundAttempt]):
    """A timer of one attempt at a round."""

    def about(self, stored_name: str) -> RoundAttempt:
        """The round and the attempt."""
        round_number, _, attempt = stored_name.partition(":")[2].partition(".")
        return RoundAttempt(int(round_number), int(attempt))

    def set(self, seconds: float, at: RoundAttempt) -> SetTimer:
        """Have it fire after so many seconds."""
        return SetTimer(name=f"{self.name}:{at.round}.{at.attempt}", seconds=seconds)

    def cancel(self, at: RoundAttempt) -> CancelTimer:
        """Have it not fire."""
        return CancelTimer(name=f"{self.name}:{at.round}.{at.attempt}")


# ---- before the start ----

OPEN = TrainingTimer("open", "the buyer: its opening on the chain")
OPENED = TrainingTimer("opened", "aggregator and owner: the opening that a message spoke of")
ANSWER = TrainingTimer("answer", "the buyer: the aggregator's answer to the request")
REQUEST = TrainingTimer("request", "the aggregator: the request of an opened training")
JOIN = TrainingTimer("join", "everybody: the end of the joining")
ADMISSION = TrainingTimer("admission", "an owner: the admission that lets it join")
DRAW = TrainingTimer("draw", "everybody: the owners' nonces, and the roles drawn on the chain")
ROWS = TrainingTimer("rows", "the aggregator: what owners that have joined commit to")

# ---- in a round ----

UPDATES = RoundTimer("updates", "the aggregator: the trainers' updates")
OPENING = AttemptTimer("opening", "the aggregator: the buyer's opening of the metrics' sum")
SIGNATURES = AttemptTimer("signatures", "the aggregator: the validators' signatures of the record")

MOMENTS = AttemptTimer("moments", "the aggregator: the buyer's products of masked weights")
CHECKS = AttemptTimer("checks", "the aggregator: the members' proven metrics and both checkers' verdicts")
CONSENTS = AttemptTimer("consents", "the aggregator: the members' signatures of the product under noise")

RECORD = TrainingTimer("record", "buyer and validators: the chain's record of a round that is signed")

# ---- at the end ----

STALLED = TrainingTimer("stalled", "everybody: progress on the chain, before anybody may end the training")
END = TrainingTimer("end", "the aggregator: the end on the chain of a training that it gave up")
SETTLE = TrainingTimer("settle", "the aggregator: the settlement on the chain")
MODEL = TrainingTimer("model", "the buyer: the model")
DELIVERY = TrainingTimer("delivery", "the aggregator: the buyer's receipt for the model")
INFORMATION = TrainingTimer("information", "checker and buyer: shares, or sums, of information matrices")
RETENTION = TrainingTimer("retention", "a validator: the time for which it must keep the model")

TIMERS = {entry.name: entry for entry in list(globals().values()) if isinstance(entry, Timer)}
