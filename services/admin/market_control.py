"""Starting, watching and stopping the processes of a market on one machine.

Every command looks at what runs now and does what is still to be done, so one that was killed half-way is
finished by running it again.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from protocol.errors import MisuseError
from services.admin import processes
from services.admin.market_process import Condition, MarketProcess, Member, State, members
from services.admin.market_record import MarketRecord
from services.admin.market_servers import prepare_servers, server_processes
from services.admin.processes import Slot
from services.common.errors import ConfigurationError

START_SECONDS, STOP_SECONDS = 120.0, 60.0
_LOOK_SECONDS = 0.2
Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Standing:
    """A process of the market now; `pid` is None where it does not run."""

    name: str
    role: str
    address: str
    pid: int | None
    state: State
    detail: str
    console: str
    url: str

    @property
    def is_well(self) -> bool:
        """Whether it is as it should be."""
        return self.state in ("healthy", "replaced", "elsewhere")


class MarketControl:
    """The processes of the market in a folder."""

    def __init__(self, folder: Path, *, look_seconds: float = _LOOK_SECONDS) -> None:
        """Raises ConfigurationError where the folder holds no market, or one without all that is needed."""
        self.folder, self._look_seconds = folder.absolute(), look_seconds
        self.record = MarketRecord.of(self.folder)
        self.servers = server_processes(self.folder, self.record.own)
        self.members = members(self.folder)

    @property
    def daemons(self) -> list[MarketProcess]:
        """The daemons that run on this machine, those that were replaced included."""
        return [one.process() for one in self.members if one.is_here]

    def slot(self, name: str) -> Slot:
        """Where a process is recorded."""
        return Slot.of(self.folder, name)

    def status(self) -> list[Standing]:
        """Every process, and the parties whose daemons run elsewhere."""
        here = [self._standing(one) for one in (*self.servers, *self.daemons)]
        return here + [_elsewhere(one) for one in self.members if not one.is_here]

    def start(self, names: Sequence[str], seconds: float, tell: Tell) -> list[Standing]:
        """Start what does not run, servers first, and wait until it is healthy, for `seconds` at most.

        Those of these names, and the servers; without names all but the replaced ones. Raises
        ConfigurationError where a server does not start: no daemon is started then.
        """
        if not self.daemons:
            raise ConfigurationError(f"{self.folder} has no daemon yet: run deltaml admin market init again")
        with processes.alone(self.folder):
            begun = self.begin_servers(tell, seconds)
            return begun + self._begin(self._chosen(names), seconds, tell)

    def start_servers(self, tell: Tell, seconds: float = START_SECONDS) -> None:
        """Start the market's own servers; raises ConfigurationError where one does not start."""
        with processes.alone(self.folder):
            self.begin_servers(tell, seconds)

    def stop(self, names: Sequence[str], seconds: float, tell: Tell) -> list[Standing]:
        """Have processes end, daemons first, and wait for `seconds` at most; the rest of them is told.

        Those of these names; without names all. Servers stay while a daemon does not end.
        """
        with processes.alone(self.folder):
            left = self._end(self._named(names, self.daemons), seconds, tell)
            for server in reversed(self._named(names, self.servers)):
                left += [] if left else self._end([server], seconds, tell)
            return left

    # ---- starting ----

    def begin_servers(self, tell: Tell, seconds: float = START_SECONDS) -> list[Standing]:
        """As `start_servers`, for a command that works on the folder alone already."""
        prepare_servers(self.folder, self.record.own)
        begun = self._begin(self.servers, seconds, tell)
        for one in begun:
            if one.state != "healthy":
                detail = one.detail or f"it has not answered in {seconds:g} s; see {self.slot(one.name).log}"
                raise ConfigurationError(f"{one.name} did not start ({one.state}): {detail}")
        return begun

    def _chosen(self, names: Sequence[str]) -> list[MarketProcess]:
        if names:
            return self._named(names, self.daemons)
        return [one for one in self.daemons if one.name not in self.record.replaced]

    def _named(self, names: Sequence[str], among: Iterable[MarketProcess]) -> list[MarketProcess]:
        known = [one.name for one in (*self.servers, *self.daemons)]
        unknown = [name for name in names if name not in known]
        if unknown:
            raise MisuseError(f"nothing here is called {unknown[0]!r}; there are {', '.join(known)}")
        return [one for one in among if not names or one.name in names]

    def _begin(self, wanted: Sequence[MarketProcess], seconds: float, tell: Tell) -> list[Standing]:
        waiting = {one.name: one for one in wanted}
        running = {one.name for one in wanted if self.slot(one.name).pid() is not None}
        missing = [one for one in wanted if one.name not in running]
        for one in missing:
            processes.launch(self.slot(one.name), one.command, one.folder, one.environment)
        if missing:
            tell(f"starting {', '.join(one.name for one in missing)}")
        until, found = time.monotonic() + seconds, {}
        while waiting:
            for name, one in list(waiting.items()):
                found[name] = standing = self._standing(one)
                if standing.state in ("healthy", "down"):
                    del waiting[name]
                    tell(_outcome(standing, ran_before=name in running))
            if time.monotonic() > until:
                break
            time.sleep(self._look_seconds if waiting else 0)
        return [found[one.name] for one in wanted]

    def _standing(self, one: MarketProcess) -> Standing:
        slot = self.slot(one.name)
        pid = slot.pid()
        if pid is not None:
            condition = one.probe()
        elif one.name in self.record.replaced:
            condition = Condition("replaced", "takes no new trainings")
        else:
            # Without a record it was stopped, or never started.
            condition = Condition("down", _ending(slot) if slot.record.exists() else "")
        return Standing(
            one.name, one.role, one.address, pid, condition.state, condition.detail, one.console, one.url
        )

    # ---- stopping ----

    def _end(self, wanted: Sequence[MarketProcess], seconds: float, tell: Tell) -> list[Standing]:
        asked = [one for one in wanted if self.slot(one.name).terminate()]
        until = time.monotonic() + seconds
        while (left := [one for one in asked if self.slot(one.name).pid() is not None]) and (
            time.monotonic() < until
        ):
            time.sleep(self._look_seconds)
        for one in wanted:
            if one not in left:
                self.slot(one.name).forget()
                tell(f"{one.name} {'has ended' if one in asked else 'did not run'}")
        return [self._standing(one) for one in left]


def _elsewhere(member: Member) -> Standing:
    detail = "its daemon runs on a machine of its own"
    role = member.process().role
    return Standing(member.name, role, member.address, None, "elsewhere", detail, "", "")


def _ending(slot: Slot) -> str:
    """How a process ended that nobody has stopped, as far as what it printed tells."""
    words = slot.last_words()
    if words:
        return f"ended by itself; see {slot.log}: {words}"
    return (
        "ended without naming a fault: somebody ended it or the machine, or it was killed (kill -9, or no "
        f"memory was left); start runs it again; what it did until then is in {slot.log}"
    )


def _outcome(standing: Standing, *, ran_before: bool) -> str:
    if standing.state == "down":
        return f"{standing.name} {standing.detail}"
    return f"{standing.name} {'runs already' if ran_before else 'runs'} (process {standing.pid})"
