"""The demo with an observer: what crossed the bus, what the contract owes, what every party has stored."""

from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

import numpy as np
import pytest

from protocol.learning.plaintext import Matrix
from protocol.marketplace import Joined, MarketplaceEvent, RolesDrawn
from protocol.types import seats_of
from services.bus.port import Outgoing
from services.data.sample_request import DemoOptions, load_data
from services.identity.keys import Identity
from services.sandbox import demo
from services.sandbox.demo import run_demo
from services.sandbox.local_market import LocalMarket
from services.sandbox.report import DemoReport
from services.store import InstanceRow


class WatchedMarket(LocalMarket):
    """A market that is looked at before it ends."""

    seen: "list[WatchedMarket]"

    async def __aenter__(self) -> Self:
        self.wire: list[Outgoing] = []
        self.broker.tap = self.wire.append
        self.seen.append(self)
        await super().__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            client = self.buyer.client
            accounts = [party.identity.address for party in self.parties]
            self.owed = {one: await client.credit_of(one, self.token) for one in accounts}
            self.held = {one: await client.balance_of(one, self.token) for one in accounts}
            self.escrow = await client.total_escrow(self.token)
            self.rows = {p.identity.address: p.store.instances() for p in self.parties}
            self.facts = [
                fact
                for party in self.parties
                for row in party.store.instances()
                for fact in party.store.facts(row.key)
            ]
        await super().__aexit__(kind, error, trace)


@dataclass
class Demo:
    """One run and all that is known of it."""

    options: DemoOptions
    report: DemoReport
    market: WatchedMarket
    events: list[MarketplaceEvent] = field(default_factory=list)

    def of(self, kind: type) -> list:  # type: ignore[type-arg]
        return [event for event in self.events if isinstance(event, kind)]

    @property
    def wire(self) -> list[Outgoing]:
        return self.market.wire

    @property
    def instances(self) -> list[InstanceRow]:
        return [row for rows in self.market.rows.values() for row in rows]

    @property
    def identities(self) -> dict[str, Identity]:
        return {party.identity.address: party.identity for party in self.market.parties}

    def rows(self) -> tuple[list[Matrix], list[Matrix]]:
        """(trainers' rows, validators' rows), [X 1 y] each, in seat order."""
        data = load_data(self.options)
        of_owner = {
            party.identity.address: np.column_stack(
                [*(part[name] for name in data.features), np.ones(size), part[data.targets[0]]]
            )
            for party, part, size in zip(self.market.owners, data.parts, data.sizes, strict=True)
        }
        seats = {event.seat: event.owner for event in self.of(Joined)}
        (drawn,) = self.of(RolesDrawn)
        return tuple(  # type: ignore[return-value]
            [of_owner[seats[seat]] for seat in seats_of(mask)] for mask in (drawn.trainers, drawn.validators)
        )


def watched_demo(options: DemoOptions) -> Demo:
    """Run the demo as the command does, and watch it."""
    events: list[MarketplaceEvent] = []
    seen: list[WatchedMarket] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(WatchedMarket, "seen", seen, raising=False)
        patch.setattr(demo, "LocalMarket", WatchedMarket)
        report = run_demo(options, lambda _text, item: None if item is None else events.append(item.event))
    (market,) = seen
    return Demo(options, report, market, events)


def naive_training(demo: Demo, start: Matrix) -> tuple[Matrix, list[float]]:
    """(final weights, MSE before and after every round): gradient descent row by row, as in a textbook."""
    trainers, validators = demo.rows()
    pooled = np.vstack(validators)
    weights = start
    errors = [float(np.mean((pooled[:, :-1] @ weights - pooled[:, -1]) ** 2))]
    for _ in range(demo.options.rounds):
        local_models = []
        for rows in trainers:
            local = weights
            for _step in range(demo.options.local_steps):
                residuals = rows[:, :-1] @ local - rows[:, -1]
                local = local - float(demo.options.step_size) * rows[:, :-1].T @ residuals / len(rows)
            local_models.append(local)
        weights = np.mean(local_models, axis=0)
        errors.append(float(np.mean((pooled[:, :-1] @ weights - pooled[:, -1]) ** 2)))
    return weights, errors
