"""What a daemon hands to its console: whose it is, where it reads and how it gives orders."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from protocol.asset import NO_TOKENS, Assets
from protocol.bought_model import BoughtModel
from protocol.marketplace import PartyRole
from protocol.owner_policy import OwnerPolicy
from protocol.records import Market
from protocol.request import Request
from protocol.terms import Token
from services.data.catalog import Catalog
from services.data.own_scores import OwnScores
from services.data.row_reader import Import
from services.data.sandboxed_reader import Found, read_apart
from services.data.sandboxed_scores import scores_apart
from services.identity.operator_orders import Order
from services.records.admissions import Refusal
from services.records.chain_history import ChainStory
from services.store import Store

Balance = Callable[[Token], Awaitable[int]]


@dataclass(frozen=True, slots=True)
class OwnerResources:
    """An owner's catalogue, the policy in the daemon's configuration, and how uploads become statistics.

    `refusals` tells which aggregators do not admit the owner now.

    Reading takes memory, and the daemon has trainings to see to: one upload is read at a time.
    """

    catalogue: Catalog
    configured: OwnerPolicy
    read_upload: Callable[[Path, Import, str], Awaitable[Found]] = read_apart
    largest_upload: int = 1 << 30
    reading: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(1))
    refusals: Callable[[], tuple[Refusal, ...]] = tuple


@dataclass(frozen=True, slots=True)
class BuyerResources:
    """Where a buyer's rows lie while its model is scored on them, and how that is done.

    One file is read at a time: reading takes memory, and the daemon has trainings to see to.
    """

    uploads: Path
    score: Callable[[Path, BoughtModel, str], Awaitable[OwnScores]] = scores_apart
    largest_upload: int = 256 << 20
    reading: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(1))


@dataclass(frozen=True, slots=True, eq=False)
class Party:
    """The participant behind a console.

    `balance` asks the chain how much of a token the account has and may raise ChainError. Only a data owner
    has `owner_resources`, only a buyer `buyer_resources`; `aggregators` are those that a buyer asks what is
    on offer.
    `names` are the operator's own for other parties, by address; `assets` what amounts are written in.
    `pooled` tells what a model of all trainers' rows together would reach, where somebody has all of them: in
    a demonstration.
    """

    role: PartyRole
    address: str
    market: Market
    store: Store
    order: Order
    balance: Balance
    owner_resources: OwnerResources | None = None
    aggregators: tuple[str, ...] = ()
    names: Mapping[str, str] = field(default_factory=dict)
    assets: Assets = NO_TOKENS
    pooled: Callable[[Request, ChainStory], float | None] | None = None
    buyer_resources: BuyerResources | None = None

    @property
    def owner(self) -> OwnerResources:
        """A data owner's resources, on the pages that only owners have."""
        assert self.owner_resources is not None
        return self.owner_resources

    @property
    def buyer(self) -> BuyerResources:
        """A buyer's resources, on the pages that only buyers have."""
        assert self.buyer_resources is not None
        return self.buyer_resources
