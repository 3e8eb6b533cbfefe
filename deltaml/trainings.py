"""A participant's trainings, as its daemon has stored them: each property reads what is there now."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from deltaml.results import Participation, TrainingRound, errors_of, participations_of, rounds_of
from protocol.marketplace import PartyRole
from protocol.request import Request
from protocol.roles.dispatch import decode_state
from services.common.errors import ConfigurationError
from services.records.chain_history import ChainStory, chain_story
from services.records.folds import FoldErrors, fold_errors_of
from services.records.penalties import Penalty, penalties_of
from services.records.stored_trainings import bought_model
from services.store import InstanceRow, Store

if TYPE_CHECKING:
    from deltaml.classifier import BoughtClassifier
    from deltaml.regressor import BoughtRegressor

ORDERED = "ORDERED"
"""The status of an order that the daemon has not taken yet."""
POLL_SECONDS = 1.0
"""Between two looks at the store: a daemon does not tell other processes what it has written."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a training is: `status` as `deltaml show` has it, and its rounds so far."""

    status: str
    rounds: tuple[TrainingRound, ...]
    finished: bool


class StoredTraining:
    """What both kinds of training have; `key` is the training's in the daemon's store."""

    def __init__(self, store: Store, role: PartyRole, key: str) -> None:
        self._store, self._role, self.key = store, role, key

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.number or self.key}: {self.status}>"

    @property
    def number(self) -> int | None:
        """The contract's number, once it is open."""
        row = self._row
        return None if row is None else row.training

    @property
    def status(self) -> str:
        """As `deltaml show` has it: WAITING, IN_PROGRESS, FINISHED ...; ORDERED before the daemon has it."""
        row = self._row
        return ORDERED if row is None else row.display_status

    @property
    def finished(self) -> bool:
        """Whether it has ended, with a model or without."""
        row = self._row
        return row is not None and row.finished

    @property
    def request(self) -> Request | None:
        """What the buyer asked for; None before the daemon knows it."""
        row = self._row
        return None if row is None else cast("Any", decode_state(self._role, row.state)).request

    @property
    def rounds(self) -> tuple[TrainingRound, ...]:
        """The rounds so far, their errors in the target's own units; owners by address."""
        request = self.request
        return () if request is None else rounds_of(self._story, request, {})

    @property
    def errors(self) -> tuple[float, ...]:
        """The mean squared error before the first round and after each."""
        return errors_of(self.rounds)

    @property
    def penalties(self) -> tuple[Penalty, ...]:
        """What each λ of a request's path came to so far; none where it has one."""
        request = self.request
        return () if request is None else penalties_of(request, self._story)

    @property
    def folds(self) -> FoldErrors | None:
        """Each fold's error so far, mean and deviation; None before one is over, and without folds."""
        request = self.request
        return None if request is None else fold_errors_of(request, self._story)

    @property
    def owners(self) -> dict[str, Participation]:
        """Who took part, the aggregator included, by address: contributions and pay so far."""
        request = self.request
        return {} if request is None else participations_of(self._story, request, {})

    @property
    def progress(self) -> Progress:
        """All of this at once."""
        return Progress(self.status, self.rounds, self.finished)

    @property
    def model(self) -> "BoughtRegressor | BoughtClassifier":
        """The bought model as a scikit-learn estimator; raises ConfigurationError where there is none."""
        from deltaml.regressor import estimator_of  # noqa: PLC0415

        row = self._row
        if row is None or (row.finished and row.display_status != "FINISHED"):
            raise ConfigurationError(f"training {self.key} is {self.status}: it has no model")
        return estimator_of(bought_model(self._store, row))

    @property
    def _row(self) -> InstanceRow | None:
        return self._store.instance(self.key)

    @property
    def _story(self) -> ChainStory:
        return chain_story(self._store, self.number)


class Training(StoredTraining):
    """A training, and waiting for it."""

    def watch(self, *, poll_seconds: float = POLL_SECONDS) -> Iterator[Progress]:
        """How far it is now, and again after every change, until it has ended."""
        known: Progress | None = None
        while known is None or not known.finished:
            now = self.progress
            if now != known:
                yield now
                known = now
            else:
                time.sleep(poll_seconds)

    def wait(self, timeout: float | None = None, *, poll_seconds: float = POLL_SECONDS) -> Progress:
        """Until it has ended; raises TimeoutError after so many seconds."""
        until = None if timeout is None else time.monotonic() + timeout
        while not self.finished:
            if until is not None and time.monotonic() >= until:
                raise TimeoutError(f"training {self.key} is {self.status} after {timeout:g} s; it goes on")
            time.sleep(poll_seconds)
        return self.progress


class AsyncTraining(StoredTraining):
    """A training, and waiting for it while others work."""

    async def watch(self, *, poll_seconds: float = POLL_SECONDS) -> AsyncIterator[Progress]:
        """How far it is now, and again after every change, until it has ended."""
        known: Progress | None = None
        while known is None or not known.finished:
            now = self.progress
            if now != known:
                yield now
                known = now
            else:
                await asyncio.sleep(poll_seconds)

    async def wait(self, *, poll_seconds: float = POLL_SECONDS) -> Progress:
        """Until it has ended; `asyncio.timeout` bounds it."""
        async for _progress in self.watch(poll_seconds=poll_seconds):
            pass
        return self.progress
