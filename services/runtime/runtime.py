"""A daemon: inputs off bus and chain go into the inbox, steps are taken one at a time, their effects go out.

The order makes every crash harmless. A delivery is acked once its input is stored, an input is marked done in
the transaction that stores the step's state and effects, and an effect is forgotten once it has happened.

`receiver` and `event_receiver` fill the inbox, `step_runner` empties it into state and outbox,
`outbox_relay` empties the outbox, and `timers` turns what has run out into inputs. Each reads what it needs
from the store: all they tell each other is that something new is there.
"""

import asyncio
import os
import time
from collections.abc import Iterable

from protocol.messages import Message
from protocol.roles.engine.inputs import Input
from services.common.tasks import run_forever
from services.runtime.effects import MessageWriter
from services.runtime.event_receiver import EventReceiver
from services.runtime.input_codec import queued
from services.runtime.outbox_relay import OutboxRelay
from services.runtime.receiver import Receiver
from services.runtime.resources import Resources
from services.runtime.role_adapter import NO_TRAINING
from services.runtime.step_runner import StepRunner
from services.runtime.timers import BROKER_AWAY, NODE_AWAY, Timers
from services.store.retention import archive_ended
from services.store.waiting import retry_while_unavailable


class Runtime:
    """One participant's daemon, whatever its role."""

    def __init__(self, resources: Resources) -> None:
        self.resources, self.role, self.store = resources, resources.role, resources.store
        self.bus, self.address = resources.bus, resources.identity.address
        resources.client.on_outcome = resources.meter.called
        self.bus.on_cycle = resources.heartbeats.beat
        self._writer = MessageWriter(resources.identity, resources.market, resources.directory)
        self._receiver = Receiver(resources, self._wake_instance)
        self.events = EventReceiver(resources, self._wake_instance)
        self._outbox = OutboxRelay(resources, self._wake_instance)
        self._timers = Timers(resources, self._wake_instance, obstacle=self._obstacle)
        self._steps = StepRunner(resources, self._writer)
        self._workers: dict[str, asyncio.Task[None]] = {}
        self._tasks: asyncio.TaskGroup | None = None
        self._sources: list[asyncio.Task[None]] = []
        self._stopping = False

    async def run(self) -> None:
        """Work until cancelled. What is in hand then is stored, and is taken up at the next start."""
        async with asyncio.TaskGroup() as tasks:
            self._tasks = tasks
            for key in await retry_while_unavailable(self.store.waiting_keys):
                self._wake_instance(key)
            work = [
                self._outbox.run,
                self._timers.run,
                lambda: archive_ended(self.store, self.resources.retention_seconds),
                lambda: self.events.run(self.bus.events("confirmed", self.address)),
                lambda: self._receiver.run(self.bus.deliveries(self.role.name, self.address)),
            ]
            self._sources = [tasks.create_task(run_forever(source)) for source in work]
            if self._stopping:  # told before there was anything to stop
                self.stop()

    def stop(self) -> None:
        """Take nothing more in; `run` ends when the steps in hand are stored."""
        self._stopping = True
        for task in self._sources:
            task.cancel()

    def is_idle(self) -> bool:
        """Whether nothing is waiting: no input, no effect, no step."""
        return not (self._workers or self.store.waiting_keys() or self.store.waiting_effects())

    async def send(self, recipient: str, body: Message, *, message_id: bytes | None = None) -> None:
        """Send a message that no step asked for, outside all trainings.

        Raises ProtocolViolation("not_registered") for a recipient that the chain does not know.
        """
        effect, _ = await self._writer.message(recipient, body, 0, message_id=message_id or os.urandom(16))
        self.store.add_effects(NO_TRAINING, [effect], time.time())
        self._outbox.wake()

    def offer(self, keys: Iterable[str], item: Input) -> None:
        """Have instances take an input that nobody sent: something within the daemon changed."""
        for key in keys:
            with self.resources.meter.phase("store"):
                self.store.add_inputs([(os.urandom(32), key, queued(item))])
            self._wake_instance(key)

    def _obstacle(self) -> str | None:
        """What keeps peers from being asked, or from being heard, though the broker can be reached."""
        if self._outbox.is_held:
            return BROKER_AWAY
        return NODE_AWAY if self._receiver.is_waiting or self.resources.node_is_away() else None

    def _wake_instance(self, key: str) -> None:
        """An instance has new inputs."""
        if key not in self._workers:
            assert self._tasks is not None
            self._workers[key] = self._tasks.create_task(self._work(key))

    async def _work(self, key: str) -> None:
        """Take an instance's inputs one after another, in the order they came."""
        try:
            # The next input is found without giving up the loop unless the store is away.
            while not self._stopping and (
                queued_input := await retry_while_unavailable(self.store.next_input, key)
            ):
                written = await self._steps.take(queued_input)
                if written.effects:
                    self._outbox.wake()
                if written.timers:
                    self._timers.wake()
                for led_to in written.keys:
                    self._wake_instance(led_to)
        finally:
            del self._workers[key]  # nothing awaits since the last look, so no input can have been missed
            self.resources.on_change()
