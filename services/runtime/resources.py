"""What one participant works with."""

from collections.abc import Callable
from dataclasses import dataclass, field

from protocol.records import Market
from protocol.request import LEAST_KEY_BITS
from services.bus.port import Bus
from services.chain.contract.client import MarketplaceClient
from services.identity.directory import Directory
from services.identity.keys import Identity
from services.observability.counters import Meter
from services.observability.heartbeat import Heartbeats
from services.runtime.pace import PACE, Pace
from services.runtime.role_adapter import Role
from services.runtime.step_pool import StepPool
from services.store import Store
from services.store.retention import RETENTION_SECONDS


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
    directory: Directory
    pool: StepPool
    meter: Meter = field(default_factory=Meter)
    heartbeats: Heartbeats = field(default_factory=Heartbeats)
    pace: Pace = PACE
    least_key_bits: int = LEAST_KEY_BITS
    """Shorter Paillier keys are refused."""
    retention_seconds: float = RETENTION_SECONDS
    on_change: Callable[[], None] = lambda: None
    """Called when people may see something new."""
