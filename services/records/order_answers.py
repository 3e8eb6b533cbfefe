"""What became of an operator's orders: the daemon notes an answer, whoever gave the order reads it.

An answer is a fact of its own key in the daemon's store: it outlives a restart, and needs no right that the
operator's commands and console do not have already.
"""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from protocol.errors import MisuseError
from protocol.messages import MESSAGE_TYPES
from protocol.messages.catalogue import OPERATOR
from protocol.roles.engine import facts
from services.common.errors import OrderUnanswered
from services.records.refusal_texts import refusal_text
from services.store import ANSWER_PREFIX, Store

ACCEPTED = "accepted"
_LOOK_SECONDS = 0.05

ORDERS = frozenset(
    name
    for name, kind in MESSAGE_TYPES.items()
    if any(sender == OPERATOR for sender, _ in kind.catalogue.routes)
)
"""The types of messages that are orders."""


@dataclass(frozen=True, slots=True)
class OrderAnswer:
    """`code` is ACCEPTED or why not, `about` what is known of it; `state` is the training's after it."""

    code: str
    detail: str = ""
    state: str | None = None
    about: Mapping[str, Any] | None = None

    @property
    def is_accepted(self) -> bool:
        """Whether the daemon does what was ordered."""
        return self.code == ACCEPTED

    @property
    def reason(self) -> str:
        """Why the order was refused, its code included."""
        about = ", ".join(f"{name}={value}" for name, value in _readable(self.about or {}).items())
        parts = (refusal_text(self.code), self.detail, about, f"state: {self.state}" * bool(self.state))
        return f"{self.code}: " + "; ".join(part for part in parts if part)

    def fact(self, message_id: bytes, order: str) -> tuple[str, tuple[str, dict[str, Any]]]:
        """(key, fact) as the store keeps it; `order` is the order's type."""
        about = {} if self.about is None else {"about": dict(self.about)}
        state = {} if self.state is None else {"state": self.state}
        data = {"order": order, "code": self.code, "detail": self.detail, **state, **about}
        return _key(message_id), facts.ORDER_ANSWERED.pair(**data)


def answer_to(store: Store, message_id: bytes) -> OrderAnswer | None:
    """The first answer to an order; None while there is none."""
    for _name, data, _at in store.facts(_key(message_id)):
        return OrderAnswer(data["code"], data["detail"], data.get("state"), data.get("about"))
    return None


async def await_answer(store: Store, message_id: bytes, seconds: float) -> OrderAnswer | None:
    """The answer once it is there; None where it does not come in time."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            while (answer := answer_to(store, message_id)) is None:  # noqa: ASYNC110  of another process
                await asyncio.sleep(_LOOK_SECONDS)
            return answer
    return None


def require_accepted(answer: OrderAnswer | None, seconds: float) -> OrderAnswer:
    """The answer that was waited for; raises OrderUnanswered for none, MisuseError with why it refuses."""
    if answer is None:
        raise OrderUnanswered(seconds)
    if not answer.is_accepted:
        raise MisuseError(f"the daemon refused: {answer.reason}")
    return answer


def _key(message_id: bytes) -> str:
    return ANSWER_PREFIX + message_id.hex()


def _readable(about: Mapping[str, Any]) -> dict[str, str]:
    return {
        name: ", ".join(map(str, value)) if isinstance(value, list) else str(value)
        for name, value in about.items()
        if value is not None
    }
