"""kill -9 between an owner's wish to join and its reveal: what others wait for comes late, or never."""

import asyncio
import signal
from types import MappingProxyType

from tests.faults.fault import Fault
from tests.faults.market import OWNERS, Training

_MINIMUM = 4
_JOIN, _REVEAL = 1, 2
"""An owner's calls of a training, in order."""

WAYS = (
    "the buyer between requests and answers",
    "the aggregator between requests and answers",
    "an owner after its join",
    "an owner before its reveal",
    "one owner until the end",
    "two owners until the end",
    "three owners until the end",
)


class KillForSeats(Fault):
    """Who is killed for a moment keeps every seat; who stays away at the reveal loses its own."""

    async def before(self) -> None:
        self.way = WAYS[self.index % len(WAYS)]
        self.stays_away = self.way.endswith("end")
        # Who is back in a moment is in time on any machine; for who stays away all others wait.
        patient = {"reveal_s": 90, "chain_s": 60}
        self.deadlines = MappingProxyType({"reveal_s": 20, "chain_s": 2} if self.stays_away else patient)
        self.must_finish = not self.way.startswith("three")
        whom = self.way.split()[1]
        count = {"two": 2, "three": 3}.get(self.way.split()[0], 1)
        owners = self.chance.sample(self.market.owners, count)
        self.killed = [whom] if whom in ("buyer", "aggregator") else owners
        place, most = self._place()
        self.place = f"{place}, time {most}"
        for name in self.killed:
            self.market.blamed.add(name)
            self.market.daemons[name].board.arm(place, most)

    def _place(self) -> tuple[str, int]:
        """Where to die, and at which passing."""
        if self.killed == ["buyer"]:  # the request comes before its answers about owners
            return self.chance.choice(["before publish", "after publish"]), self.chance.randint(2, 1 + OWNERS)
        if self.killed == ["aggregator"]:  # its answer and the invitations come before
            return "before publish", self.chance.randint(2 + OWNERS, 1 + 3 * OWNERS)
        if "join" in self.way:
            return "after submit", _JOIN
        return "before submit", _REVEAL

    async def during(self, training: Training) -> None:
        for name in self.killed:
            await self.market.died(name)
        self.codes = [self.market.daemons[name].exit_code for name in self.killed]
        if self.stays_away:
            await self.over(training, [name for name in self.market.addresses if name not in self.killed])
        for name in self.killed:
            await self.market.restart(name)

    async def over(self, training: Training, names: list[str]) -> None:
        """Wait until a training has ended for these parties."""
        async with asyncio.timeout(240):
            while not all(self.market.shown_of(name, training)[1] for name in names):
                self.market.check_daemons()
                await asyncio.sleep(0.1)

    async def after(self, training: Training) -> str:
        assert set(self.codes) == {-signal.SIGKILL}
        shown = {name: self.market.shown_of(name, training)[0] for name in self.market.addresses}
        lost = sorted(name for name, text in shown.items() if text == "FAILED(not_revealed)")
        left = OWNERS - len(self.killed)
        if not self.stays_away:
            assert not lost, shown
        elif left >= _MINIMUM:
            assert lost == sorted(self.killed), shown
        else:
            assert set(shown.values()) == {"FAILED(too_few_revealed)"}, shown
        return f"{self.way}: {' and '.join(self.killed)}, {self.place}"
