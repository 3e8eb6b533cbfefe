"""What one participant works with, and how patient it is."""

from collections.abc import Callable
from dataclasses import dataclass, field

from protocol.records import Market
from protocol.request import LEAST_KEY_BITS
from services.bus.port import Bus
from services.chain.contract.client import MarketplaceClient
from services.common.tasks import IDLE_SECONDS
from services.identity.directory import Directory
from services.identity.keys import Identity
from services.identity.signed_rounds import SignedRounds
from services.observability.counters import Meter
from services.observability.heartbeat import Heartbeats
from services.runtime.own_node import OwnNode
from services.runtime.role_adapter import Role
from services.runtime.step_pool import StepPool
from services.store import Store
from services.store.retention import RETENTION_SECONDS

INTERNAL_ERROR = "internal_error"
"""The code of what was set aside because something failed that nobody thought of: a bug of ours."""


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds that a daemon waits before it looks, or tries, again; a test's is less patient."""

    retry: float = 1.0
    """Before a step, or the check of a message, is tried again that had to wait for the chain."""
    beat: float = 5.0
    """How often is noted that the daemon is there; by so much a stop may be counted as longer than it was."""
    idle: float = IDLE_SECONDS
    """The longest that the outbox waits to be woken."""
    full: float = 0.05
    """Before the inbox is looked at again that has no room for messages."""
    first_pause: float = 0.5
    """After the first failure of an effect; it doubles with each."""
    longest_pause: float = 60.0
    away_pause: float = 4.0
    """The longest while broker or node are away: what waits for them goes on soon after they are back."""
    unroutable: float = 24 * 3600.0
    """For how long a recipient may be without a queue: long enough for an administrator to notice."""

    def pause_after(self, attempts: int, *, away: bool) -> float:
        """How long to wait after so many failed attempts and one more."""
        longest = min(self.away_pause, self.longest_pause) if away else self.longest_pause
        return min(longest, self.first_pause * 2.0 ** min(attempts, 16))


@dataclass(frozen=True, slots=True, kw_only=True)
class Resources:
    """Everything that a participant is handed, so that a test or the demo can put a market into one process.

    `client` has the participant's key; `pool` and `meter` may be shared by several participants.
    """

    role: Role
    identity: Identity
    market: Market
    store: Store
    bus: Bus
    client: MarketplaceClient
    node: OwnNode
    """Whose word is believed about contract events."""
    directory: Directory
    pool: StepPool
    meter: Meter = field(default_factory=Meter)
    heartbeats: Heartbeats = field(default_factory=Heartbeats)
    pace: Pace = field(default_factory=Pace)
    signed_rounds: SignedRounds = field(default_factory=SignedRounds)
    """What it has signed of each round, which outlives the store."""
    least_key_bits: int = LEAST_KEY_BITS
    """Shorter Paillier keys are refused."""
    retention_seconds: float = RETENTION_SECONDS
    node_is_away: Callable[[], bool] = lambda: False
    """Whether the participant's own node did not answer when it was last asked."""
    on_change: Callable[[], None] = lambda: None
    """Called when people may see something new."""
