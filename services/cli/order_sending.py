"""An order to one's own daemon: signed, sealed, published, and waited for until the daemon has answered."""

import asyncio
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from typing import Annotated, Any, TypeVar

import typer

from protocol.errors import MisuseError
from protocol.marketplace import PartyRole
from protocol.messages import Message
from protocol.records import Market
from services.bus.open_bus import open_bus
from services.cli.output import join_fields
from services.common.errors import OrderUnanswered
from services.common.files import read_passphrase
from services.config.daemons import AggregatorConfig, DataOwnerConfig, ModelBuyerConfig
from services.identity.keystore import Keystore
from services.identity.signing import order_to_self
from services.records.order_answers import OrderAnswer, answer_to
from services.store import Store

Found = TypeVar("Found")

ANSWER_SECONDS = 30.0
Wait = Annotated[
    float, typer.Option("--wait", min=0, max=86_400, help="Wait so many seconds for the daemon's answer.")
]
NoWait = Annotated[bool, typer.Option("--no-wait", help="End when the order is on the daemon's queue.")]

_LOOK_SECONDS = 0.1
_TEXTS = {
    "input_ignored": "it is too late for that, or too early",
    "input_late": "it is too late for that",
    "over_budget": "the data set's budget is used up; --beyond-budget joins all the same",
    "data_set_does_not_match": "the data set does not serve the request",
    "unknown_data_set": "the catalogue has no such data set; `deltaml datasets list` tells which it has",
    "unknown_training": "the daemon has no such training; `deltaml trainings` lists those that it has",
    "training_over": "the training is over",
    "archived": "the training is over",
    "not_mine": "it is a training of others",
}


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
    with opened_store(config) as store:
        message_id = send_order(config, role, body, training)
        answer = wait_for(lambda: answer_to(store, message_id), seconds)
    if answer is None:
        raise OrderUnanswered(seconds)
    if not answer.is_accepted:
        raise MisuseError(f"the daemon refused: {refusal_text(answer)}")
    return message_id, answer


def opened_store(config: ModelBuyerConfig | DataOwnerConfig | AggregatorConfig) -> closing[Store]:
    """The store of a daemon, which may be running."""
    return closing(Store(config.store, password=config.store_password(), existing=True))


def wait_for(look: Callable[[], Found | None], seconds: float) -> Found | None:
    """What `look` finds, looking again and again; None where it finds nothing in time."""
    until = time.monotonic() + seconds
    while (found := look()) is None and time.monotonic() < until:
        time.sleep(_LOOK_SECONDS)
    return found


def refusal_text(answer: OrderAnswer) -> str:
    """Why an order was refused, its code included."""
    about = join_fields(_readable(answer.about or {}))
    parts = (_TEXTS.get(answer.code, ""), answer.detail, about, f"state: {answer.state}" * bool(answer.state))
    return f"{answer.code}: " + "; ".join(part for part in parts if part)


def _readable(about: Mapping[str, Any]) -> dict[str, str]:
    return {
        name: ", ".join(map(str, value)) if isinstance(value, list) else str(value)
        for name, value in about.items()
        if value is not None
    }


def send_order(
    config: ModelBuyerConfig | DataOwnerConfig | AggregatorConfig,
    role: PartyRole,
    body: Message,
    training: int,
) -> bytes:
    """Sign with the daemon's own key, seal to it, publish to its queue; returns the message id."""
    identity = Keystore.open(config.keystore, read_passphrase(config.passphrase_file)).identity
    market = Market(chain_id=config.chain.chain_id, contract=config.chain.contract)
    order = order_to_self(identity, market, role, body, training)

    async def publish() -> None:
        bus = open_bus(config.broker)
        try:
            await bus.publish(order)
        finally:
            await bus.close()

    asyncio.run(publish())
    return order.envelope.message_id
