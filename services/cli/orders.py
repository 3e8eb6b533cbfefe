"""`deltaml train`, `accept`, `decline`, `withdraw`, `stop`: signed messages to one's own daemon."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from protocol.marketplace import PartyRole
from protocol.messages import Message, OwnerDecision, StopOrder, TrainingOrder, WithdrawOrder
from protocol.records import Market
from protocol.roles.buyer.ordering import check_order
from services.bus.open_bus import open_bus
from services.cli.options import ConfigFile, Json
from services.cli.output import print_outcome
from services.common.documents import load_request
from services.common.errors import ConfigurationError
from services.common.files import read_passphrase
from services.config.daemons import AggregatorConfig, DataOwnerConfig, ModelBuyerConfig, load
from services.identity.keystore import Keystore
from services.identity.signing import order_to_self

TrainingNumber = Annotated[int, typer.Argument(help="The contract's number of the training.", min=1)]


def train(
    request: Annotated[Path, typer.Argument(help="The request, a YAML file such as REQUEST.yaml.")],
    config: ConfigFile,
    json: Json = False,
) -> None:
    """Ask the buyer's daemon to have a model trained; `deltaml show` tells how it goes."""
    wanted = load_request(request)
    check_order(wanted)
    message_id = send_order(load(config, "model-buyer"), "model_buyer", TrainingOrder(request=wanted), 0)
    print_outcome({"order": f"order:{message_id.hex()}", "request": wanted.name}, json=json)


def accept(
    training: TrainingNumber,
    config: ConfigFile,
    data_set: Annotated[str | None, typer.Option(help="Take part with this data set.")] = None,
    beyond_budget: Annotated[
        bool, typer.Option("--beyond-budget", help="Even if the data set's budget is used up.")
    ] = False,
    json: Json = False,
) -> None:
    """Have the owner's daemon join a training that waits for a decision."""
    decision = OwnerDecision(training=training, accept=True, data_set=data_set, beyond_budget=beyond_budget)
    _decide(config, decision, json=json)


def decline(training: TrainingNumber, config: ConfigFile, json: Json = False) -> None:
    """Have the owner's daemon decline a training that waits for a decision."""
    _decide(config, OwnerDecision(training=training, accept=False), json=json)


def withdraw(config: ConfigFile, json: Json = False) -> None:
    """Have the contract pay an owner's credit out; needed where the policy does not do so by itself."""
    send_order(load(config, "data-owner"), "data_owner", WithdrawOrder(), 0)
    print_outcome({"withdrawal": "asked"}, json=json)


def stop(
    training: TrainingNumber,
    config: ConfigFile,
    reason: Annotated[str, typer.Option(help="Recorded with the training.")] = "stopped by its operator",
    json: Json = False,
) -> None:
    """Have the buyer's or the aggregator's daemon end a training; what was recorded is settled."""
    settings = load(config)
    if not isinstance(settings, ModelBuyerConfig | AggregatorConfig):
        raise ConfigurationError(f"{config} configures the daemon {settings.daemon}; it stops no training")
    role: PartyRole = "model_buyer" if isinstance(settings, ModelBuyerConfig) else "federated_aggregator"
    send_order(settings, role, StopOrder(training=training, reason=reason), training)
    print_outcome({"training": training, "stop": "asked"}, json=json)


def _decide(config: Path, decision: OwnerDecision, *, json: bool) -> None:
    send_order(load(config, "data-owner"), "data_owner", decision, decision.training)
    answer = "accept" if decision.accept else "decline"
    print_outcome({"training": decision.training, "decision": answer}, json=json)


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
