"""Which fault each seed stands for."""

from tests.faults.chain import DeepReorganisation, Reorganisation
from tests.faults.fault import Fault
from tests.faults.kills import PLACES, KillBroker, KillDaemon, KillNode, OwnersDropOut
from tests.faults.machine import ClockJumps, DiskFull, SlowConsumer
from tests.faults.network import CutLink, HalfOpenLink, SlowLink
from tests.faults.nodes import (
    BatchesRefused,
    GarbageAnswers,
    LaggingNode,
    LogPagesFail,
    RestoredChain,
    RestoredNode,
    SlowAnswers,
)
from tests.faults.seats import KillForSeats
from tests.faults.tampering import BitFlipped, Duplicated, Reordered, Stale, Truncated

CLASSES: dict[str, tuple[type[Fault], int]] = {
    "kill daemon": (KillDaemon, len(PLACES)),
    "kill broker": (KillBroker, 15),
    "kill node": (KillNode, 15),
    "cut link": (CutLink, 18),
    "slow link": (SlowLink, 15),
    "half-open link": (HalfOpenLink, 16),
    "disk full": (DiskFull, 16),
    "clock jump": (ClockJumps, 16),
    "duplicated": (Duplicated, 15),
    "reordered": (Reordered, 15),
    "truncated": (Truncated, 15),
    "bit-flipped": (BitFlipped, 15),
    "stale": (Stale, 15),
    "reorganisation": (Reorganisation, 15),
    "deep reorganisation": (DeepReorganisation, 15),
    "slow consumer": (SlowConsumer, 16),
    "owners drop out": (OwnersDropOut, 15),
    "kill for seats": (KillForSeats, 21),
    "batches refused": (BatchesRefused, 16),
    "log pages fail": (LogPagesFail, 15),
    "lagging node": (LaggingNode, 16),
    "restored node": (RestoredNode, 16),
    "restored chain": (RestoredChain, 15),
    "garbage answers": (GarbageAnswers, 16),
    "slow answers": (SlowAnswers, 15),
}
"""Each class with how many of its scenarios there are."""


def _spread() -> list[tuple[str, int]]:
    """All scenarios, so that any first part of them has each class in proportion."""
    places = [
        ((index + 0.5) / count, name, index)
        for name, (_fault, count) in CLASSES.items()
        for index in range(count)
    ]
    return [(name, index) for _place, name, index in sorted(places)]


SCENARIOS = _spread()
"""(class, number in its class) by seed; a larger seed is another training under a fault of the same kind."""

SHORT = 1 + max(SCENARIOS.index((name, 0)) for name in CLASSES)
"""How many of them `--short` takes: the fewest with each class at least once."""

IN_MAKE_TEST = tuple(
    SCENARIOS.index((name, 0))
    for name in (
        "kill for seats",
        "bit-flipped",
        "deep reorganisation",
    )
)
"""Processes and seats, messages, the chain; links, brokers, disks and nodes have tests of their own."""


def scenario(seed: int) -> tuple[str, int]:
    """The class of a seed and the scenario's number in it."""
    return SCENARIOS[seed % len(SCENARIOS)]
