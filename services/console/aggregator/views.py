"""What an aggregator's operator sees, read out of its store: who answered, who is waited for, until when."""

from dataclasses import dataclass
from functools import cached_property

from protocol.roles.aggregator.state import AggregatorState, TrainingState
from services.console.aggregator.work import Work, work_of
from services.console.presentation.i18n import gettext_noop as _
from services.console.presentation.training_record import TrainingRecord

TIMER_NAMES = {
    "request": _("the request from the buyer"),
    "join": _("the owners' joining"),
    "draw": _("the drawing of roles"),
    "rows": _("the owners' row counts"),
    "updates": _("the trainers' updates"),
    "moments": _("the buyer's products"),
    "checks": _("the validators' measurements and both checkers' verdicts"),
    "consents": _("the validators' signatures of the hidden errors"),
    "opening": _("the buyer's opening"),
    "signatures": _("the validators' signatures"),
    "end": _("the end on the chain"),
    "stalled": _("progress on the chain"),
    "settle": _("the division of the deposit"),
    "delivery": _("the buyer's receipt for its model"),
}
"""What an aggregator waits for, by the name of its timer."""


@dataclass(frozen=True, slots=True)
class Deadline:
    """A wait that runs, for what, and when it ends (Unix seconds)."""

    what: str
    at: float


@dataclass(frozen=True)
class Training(TrainingRecord[AggregatorState]):
    """One training, in the list or on its page."""

    role = "federated_aggregator"

    @cached_property
    def work(self) -> tuple[Work, ...]:
        """The rounds in hand: one in training, and the one before it being measured."""
        state = self.state
        return work_of(state, self.party.market) if isinstance(state, TrainingState) else ()

    @property
    def waiting(self) -> int:
        """How many have not answered the question in hand."""
        return sum(len(work.waiting) for work in self.work)

    @property
    def deadlines(self) -> tuple[Deadline, ...]:
        """The waits that run, the next to end first."""
        if self.row.finished:
            return ()
        timers = ((name.partition(":")[0], at) for name, at in self.party.store.timers_of(self.row.key))
        return tuple(Deadline(TIMER_NAMES[kind], at) for kind, at in timers if kind in TIMER_NAMES)

    @property
    def answers(self) -> tuple[tuple[str, str], ...]:
        """(owner, what it said) of those who have answered the invitation."""
        facts = [data for name, data, _at in self.party.store.facts(self.row.key) if name == "owner_answered"]
        return tuple((str(data["owner"]), str(data.get("code", data["decision"]))) for data in facts)

    @property
    def dropped(self) -> tuple[str, ...]:
        """The owners who were left out."""
        return self.state.parties.addresses(self.state.dropped)
