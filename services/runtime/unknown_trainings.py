"""Messages of trainings that the store does not know: they leave nothing unless the chain knows the training.

Anybody may register and name any number. A number that no deposit stands behind, or one of others' trainings,
must not become a row that is kept for ever.
"""

import time
from collections.abc import Callable
from typing import Protocol

from cachetools import TTLCache

from protocol.errors import ProtocolViolation
from protocol.terms import Terms
from services.chain.errors import ChainUnavailable
from services.runtime.own_node import OwnNode
from services.runtime.role_adapter import Role

_MOST_REMEMBERED = 4096
ANSWER_SECONDS = 2.0
"""For how long an answer of the node holds: a flood under one number asks it once in that time."""

MOST_INVENTED = 32
INVENTED_SECONDS = 60.0
"""Numbers of no training that one sender may name in that time, before the node is asked no more for it."""

_UNDER_WAY = frozenset({"open", "drawing", "running"})


class Openings(Protocol):
    """What is asked of the node, at its newest block: the sender's, which may be ahead, has it confirmed."""

    async def status(self, training: int) -> str:
        """One of protocol.marketplace.STATUS_NAMES."""
        ...

    async def opening_of(self, training: int) -> tuple[str, int, Terms | None]:
        """Buyer, deposit and terms."""
        ...


class UnknownTrainings:
    """Asks the chain about the trainings of one participant's first messages."""

    def __init__(
        self, openings: Openings, node: OwnNode, role: Role, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """`role` tells whose trainings are its own."""
        self._openings, self._node, self._role = openings, node, role
        self._answers: TTLCache[int, str] = TTLCache(_MOST_REMEMBERED, ANSWER_SECONDS, clock)
        self._invented: TTLCache[str, int] = TTLCache(_MOST_REMEMBERED, INVENTED_SECONDS, clock)

    async def require(self, training: int, sender: str) -> None:
        """Return when the training is under way and one of ours.

        Raises ProtocolViolation: "unknown_training", "training_over" or the role's objection; a node that
        does not answer raises its own error, and ChainUnavailable one that is behind its chain.
        """
        code = self._answers.get(training)
        if code is None:
            if self._invented.get(sender, 0) >= MOST_INVENTED:
                detail = f"training {training}: {sender} has named {MOST_INVENTED} that do not exist"
                raise ProtocolViolation("unknown_training", detail)
            code = self._answers[training] = await self._code_of(training)
            if code == "unknown_training":
                self._invented[sender] = self._invented.get(sender, 0) + 1
        if code:
            raise ProtocolViolation(code, f"training {training}")

    async def _code_of(self, training: int) -> str:
        status = await self._openings.status(training)
        if status == "none":
            behind = await self._node.fresh_lag()
            if behind is not None:
                raise ChainUnavailable(f"training {training} is not there yet: {behind}")
            return "unknown_training"
        if status not in _UNDER_WAY:
            return "training_over"
        buyer, _, terms = await self._openings.opening_of(training)
        return "not_mine" if terms is None else self._role.objection(training, buyer, terms.aggregator)
