"""A training out of a daemon's store: what every role shows of it. Pages read what they need when drawn."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar, Generic, Protocol, Self, TypeVar, cast

from cachetools import LRUCache

from protocol.asset import Asset
from protocol.crypto.cipher import PublicKey
from protocol.marketplace import PartyRole
from protocol.request import Request
from protocol.roles.dispatch import decode_state
from protocol.terms import NATIVE
from services.console.party import Party
from services.console.presentation.timeline import Moment, timeline
from services.records.chain_history import ChainStory, Partner, chain_story, curve, partners
from services.records.convergence import Convergence, convergence_of
from services.records.folds import FoldErrors, fold_errors_of
from services.records.penalties import Penalty, penalties_of
from services.records.round_checks import Checks, checks_of
from services.store import InstanceRow

_DIGITS = 19
"""Longer numbers do not fit into a store."""
LISTED = 50
"""Trainings on one page of a list; each is drawn anew at every change, in the daemon's own loop."""


class RoleState(Protocol):
    """What the states of all roles have."""

    @property
    def request(self) -> Request | None:
        """What the buyer asked for; None before it has come."""


_State = TypeVar("_State", bound=RoleState)
_Record = TypeVar("_Record", bound="TrainingRecord[Any]")


@dataclass(frozen=True)
class TrainingRecord(Generic[_State]):
    """A training's row, the role's state inside it, and what the chain tells; each is read once."""

    role: ClassVar[PartyRole]

    party: Party = field(repr=False)
    row: InstanceRow

    @classmethod
    def find(cls, party: Party, key: str) -> Self | None:
        """The training of a key, or of the contract's number; None where the store has none."""
        row = party.store.instance(key)
        if row is None and key.isascii() and key.isdigit() and len(key) < _DIGITS:
            row = party.store.instance(party.store.key_of(int(key)) or key)
        return None if row is None else cls(party, row)

    @classmethod
    def newest(cls, party: Party, count: int = LISTED, skipped: int = 0) -> list[Self]:
        """So many trainings, the newest change first."""
        return [_known(cls, party, row) for row in party.store.newest_instances(count, skipped)]

    @cached_property
    def state(self) -> _State:
        """The role's own."""
        return cast("_State", decode_state(self.role, self.row.state))

    @cached_property
    def story(self) -> ChainStory:
        """What the chain tells."""
        return chain_story(self.party.store, self.row.training)

    @property
    def asset(self) -> Asset:
        """What it pays in, as the party knows to name it."""
        request = self.state.request
        return self.party.assets.of(NATIVE if request is None else request.payment.token)

    @cached_property
    def paid_hash(self) -> str | None:
        """What the chain's hash must be for the document shown here under its key; None without either."""
        request, n = self.state.request, getattr(self.state, "n", 0)
        return f"0x{request.paid_hash(PublicKey(n).key_id).hex()}" if request is not None and n else None

    @property
    def hash_differs(self) -> bool:
        """Whether the deposit was paid for another document, or under another key."""
        hashes = {self.story.request_hash, self.paid_hash} - {None}
        return len(hashes) > 1

    @cached_property
    def timeline(self) -> tuple[Moment, ...]:
        """What happened, the newest first."""
        return timeline(self.party.store.facts(self.row.key), self.story)

    @cached_property
    def checks(self) -> Checks:
        """What was found wrong in its rounds, and who is held to blame."""
        return checks_of(self.party.store.facts(self.row.key))

    @property
    def curve(self) -> tuple[tuple[int, int], ...]:
        """(round, error × 1e18) in the target's own units, squared."""
        return curve(self.story, self.state.request)

    @property
    def step_seconds(self) -> int:
        """How long an answer may take; 0 before the request has come."""
        return 0 if self.state.request is None else self.state.request.deadlines.step_s

    @property
    def joining_ends(self) -> float | None:
        """Until when owners may join, in Unix seconds; None before the opening, and once it is over."""
        told = {entry.event: entry.at for entry in self.story.transactions}
        if self.state.request is None or "Opened" not in told or "Closed" in told:
            return None
        return told["Opened"] + self.state.request.deadlines.join_s

    @property
    def convergence(self) -> Convergence | None:
        """What ended it, and whether another round would have gained; None before the first round."""
        return None if self.state.request is None else convergence_of(self.state.request, self.story)

    @property
    def penalties(self) -> tuple[Penalty, ...]:
        """What each λ of a path came to so far; none where the request has one."""
        return () if self.state.request is None else penalties_of(self.state.request, self.story)

    @property
    def improvement(self) -> float | None:
        """The share of the first error that the model takes off; None before the first round."""
        return None if self.state.request is None else self.story.improvement(self.state.request)

    @property
    def folds(self) -> FoldErrors | None:
        """Mean and spread of the errors of its folds; None without any that is over."""
        return None if self.state.request is None else fold_errors_of(self.state.request, self.story)

    @cached_property
    def partners(self) -> tuple[Partner, ...]:
        """The owners' contributions and pay."""
        return () if self.state.request is None else partners(self.state.request, self.story)


_listed: LRUCache[tuple[type, Party, str], TrainingRecord[Any]] = LRUCache(4 * LISTED)
"""The newest of each training: a long one's story takes megabytes, and each of its steps makes another."""


def _known(kind: type[_Record], party: Party, row: InstanceRow) -> _Record:
    """A list of many trainings is drawn again for each change of one: the others' are known.

    Whatever a record tells has been noted before the step that it led to, which changes the row.
    """
    place = (kind, party, row.key)
    known = _listed.get(place)
    if known is None or known.row != row:
        known = _listed[place] = kind(party, row)
    return cast("_Record", known)
