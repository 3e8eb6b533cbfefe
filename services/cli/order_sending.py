"""An order to one's own daemon: signed, sealed, published, and waited for until the daemon has answered."""

import asyncio
import time
from collections.abc import Callable
from contextlib import closing
from typing import Annotated, TypeVar

import typer

from protocol.marketplace import PartyRole
from protocol.messages import Message, TrainingOrder
from services.cli.waiting import going_on, waiting
from services.config.daemons import AggregatorConfig, DataOwnerConfig, ModelBuyerConfig
from services.identity import operator_orders
from services.records.order_answers import OrderAnswer, answer_to, require_accepted
from services.store import Store

Found = TypeVar("Found")

ANSWER_SECONDS = 30.0
Wait = Annotated[
    float, typer.Option("--wait", min=0, max=86_400, help="Wait so many seconds for the daemon's answer.")
]
NoWait = Annotated[bool, typer.Option("--no-wait", help="End when the order is on the daemon's queue.")]

_LOOK_SECONDS = 0.1


def give_order(
    config: ModelBuyerConfig | DataOwnerConfig | AggregatorConfig,
    role: PartyRole,
    body: Message,
    training: int = 0,
    *,
    seconds: float = ANSWER_SECONDS,
) -> tuple[bytes, OrderAnswer | None]:
    """(message id, the daemon's answer); no answer is waited for where `seconds` is 0.

    Raises MisuseError with the reason where the daemon refuses, OrderUnanswered where it has not answered in
    time, and ConfigurationError before anything is sent where the daemon's store cannot be read.
    """
    if not seconds:
        return send_order(config, role, body, training), None
    text = f"waiting for the daemon's answer, at most {seconds:g} s"
    with opened_store(config) as store, waiting(text):
        message_id = send_order(config, role, body, training)
        with going_on(lambda: f"{_sent(body, message_id)}; only the waiting for the daemon's answer is over"):
            answer = wait_for(lambda: answer_to(store, message_id), seconds)
    return message_id, require_accepted(answer, seconds)


def _sent(body: Message, message_id: bytes) -> str:
    if isinstance(body, TrainingOrder):
        return f"the order was sent and stands: `deltaml show order:{message_id.hex()} --follow` takes it up"
    return "the order was sent and stands"


def opened_store(config: ModelBuyerConfig | DataOwnerConfig | AggregatorConfig) -> closing[Store]:
    """The store of a daemon, which may be running."""
    return closing(Store(config.store, password=config.store_password(), existing=True))


def wait_for(look: Callable[[], Found | None], seconds: float) -> Found | None:
    """What `look` finds, looking again and again; None where it finds nothing in time."""
    until = time.monotonic() + seconds
    while (found := look()) is None and time.monotonic() < until:
        time.sleep(_LOOK_SECONDS)
    return found


def send_order(
    config: ModelBuyerConfig | DataOwnerConfig | AggregatorConfig,
    role: PartyRole,
    body: Message,
    training: int,
) -> bytes:
    """Sign with the daemon's own key, seal to it, publish to its queue; returns the message id."""
    return asyncio.run(operator_orders.send_order(config, role, body, training))
