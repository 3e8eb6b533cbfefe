"""From the chain to the inbox: confirmed events, each stored and then acked."""

import time
from collections.abc import AsyncIterator, Callable

from protocol.marketplace import training_of
from protocol.messages import ChainEvent
from protocol.roles.engine.inputs import EventConfirmed
from services.bus.port import EventDelivery
from services.observability.counters import Meter
from services.records.chain_facts import place_of, record_of
from services.runtime.input_codec import event_identity, queued
from services.runtime.role_adapter import Role
from services.store import Store
from services.store.waiting import retry_while_unavailable


class EventReceiver:
    """Takes one participant's events in."""

    def __init__(
        self,
        role: Role,
        address: str,
        store: Store,
        meter: Meter,
        on_input: Callable[[str], None],
        on_change: Callable[[], None],
    ) -> None:
        """`on_input` is told the keys of instances that have new inputs, `on_change` that people see more."""
        self._role, self._address, self._store, self._meter = role, address, store, meter
        self._on_input, self._on_change = on_input, on_change

    async def run(self, deliveries: AsyncIterator[EventDelivery]) -> None:
        """Take in until cancelled."""
        async for delivery in deliveries:
            key = await retry_while_unavailable(self._role.key_of_event, delivery.event.event)
            if key is not None:
                await retry_while_unavailable(self._store_input, key, delivery.event)
            await retry_while_unavailable(self._record, delivery.event)
            await delivery.ack()

    def _store_input(self, key: str, event: ChainEvent) -> None:
        """One that is known already changes nothing."""
        content = queued(EventConfirmed(chain_event=event))
        with self._meter.phase("store"):
            self._store.add_inputs(
                [(event_identity(event), key, content)], training=training_of(event.event) or None
            )
        self._on_input(key)

    def _record(self, event: ChainEvent) -> None:
        """Keep for people what the chain said, also what no step waits for."""
        key = place_of(event, self._address, self._store)
        if key is not None:
            name, data = record_of(event)
            with self._meter.phase("store"):
                # A test chain's clock may run ahead of ours.
                self._store.note_once(key, name, data, min(float(event.timestamp), time.time()))
            self._on_change()
