"""What happens in a simulated day, drawn from a seed: trainings all day, disturbances in its first part."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import Literal

Action = Literal["order", "kill", "restart", "rotate", "passphrase", "away", "remove_data", "add_data"]
"""A buyer orders a training; a daemon is killed and started; or stopped and started; gets a new exchange key
and the restart that registers it; gets a new passphrase while it runs on; an owner is stopped, and started
some time later; a data set is taken out of its catalogue, and put back some time later; one more is put in.
"""

DISTURBED = 0.5
"""The part of the day with disturbances: in the last third all daemons have been at work for a while."""


@dataclass(frozen=True, order=True)
class Event:
    """`hour` of the simulated day; `lasts` hours where something is undone again."""

    hour: float
    action: Action
    party: str
    lasts: float = 0.0


def schedule(
    names: Sequence[str], *, hours: float, per_hour: float, random: Random, quick: bool = False
) -> list[Event]:
    """The day's events in order. `names` are the daemons; `quick` leaves one disturbance of each kind."""
    return sorted(
        [*_orders(names, hours, per_hour, random), *_disturbances(names, hours, random, quick=quick)]
    )


def _orders(names: Sequence[str], hours: float, per_hour: float, random: Random) -> Iterator[Event]:
    """As independent orders come: at exponential intervals."""
    buyers = [name for name in names if name.startswith("buyer")]
    hour = random.expovariate(per_hour)
    while hour < hours:
        yield Event(hour, "order", random.choice(buyers))
        hour += random.expovariate(per_hour)


def _disturbances(names: Sequence[str], hours: float, random: Random, *, quick: bool) -> Iterator[Event]:
    """Every daemon is killed once and restarted once; every party's keys are rotated; the rest by chance."""
    parties = [name for name in names if name != "listener"]
    owners = [name for name in names if name.startswith("owner")]
    plans: list[tuple[Action, Sequence[str]]] = [
        ("kill", names),
        ("restart", names),
        ("rotate", parties),
        ("passphrase", parties),
        ("away", random.sample(owners, len(owners) // 2)),
        ("remove_data", random.sample(owners, len(owners) // 4 + 1)),
        ("add_data", random.sample(owners, len(owners) // 4 + 1)),
    ]
    for action, subjects in plans:
        for name in random.sample(subjects, 1) if quick else subjects:
            hour = random.uniform(0.05, DISTURBED) * hours
            lasts = random.uniform(0.02, 0.05) * hours if action in ("away", "remove_data") else 0.0
            yield Event(hour, action, name, lasts)
