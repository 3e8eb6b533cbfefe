"""`deltaml train`, `accept`, `decline`, `withdraw`, `stop`: signed messages to one's own daemon."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from services.cli.output import Json, print_json, print_line

if TYPE_CHECKING:
    from protocol.marketplace import PartyRole
    from protocol.messages import Message, OwnerDecision
    from services.config.daemons import AggregatorConfig, DataOwnerConfig, ModelBuyerConfig

ConfigFile = Annotated[Path, typer.Option(help="The daemon's YAML file: its broker, its key store.")]
TrainingNumber = Annotated[int, typer.Argument(help="The contract's number of the training.", min=1)]


def train(
    request: Annotated[Path, typer.Argument(help="The request, a YAML file such as REQUEST.yaml.")],
    config: ConfigFile,
    json: Json = False,
) -> None:
    """Ask the buyer's daemon to have a model trained; `deltaml show` tells how it goes."""
    from protocol.messages import TrainingOrder  # noqa: PLC0415
    from protocol.roles.shared.request_widths import check_widths  # noqa: PLC0415
    from services.common.documents import load_request  # noqa: PLC0415
    from services.config.daemons import load  # noqa: PLC0415

    wanted = load_request(request)
    check_widths(wanted)
    message_id = send_order(load(config, "model-buyer"), "model_buyer", TrainingOrder(request=wanted), 0)
    _told({"order": f"order:{message_id.hex()}", "request": wanted.name}, json=json)


def accept(
    training: TrainingNumber,
    config: ConfigFile,
    data_set: Annotated[str | None, typer.Option(help="Take part with this data set.")] = None,
    beyond_budget: Annotated[
        bool, typer.Option("--beyond-budget", help="Although the data set's budget is used up.")
    ] = False,
    json: Json = False,
) -> None:
    """Have the owner's daemon join a training that waits for a decision."""
    from protocol.messages import OwnerDecision  # noqa: PLC0415

    body = OwnerDecision(training=training, accept=True, data_set=data_set, beyond_budget=beyond_budget)
    _decide(config, body, json=json)


def decline(training: TrainingNumber, config: ConfigFile, json: Json = False) -> None:
    """Have the owner's daemon decline a training that waits for a decision."""
    from protocol.messages import OwnerDecision  # noqa: PLC0415

    _decide(config, OwnerDecision(training=training, accept=False), json=json)


def withdraw(config: ConfigFile, json: Json = False) -> None:
    """Have the contract pay an owner's credit out; needed where the policy does not withdraw by itself."""
    from protocol.messages import WithdrawOrder  # noqa: PLC0415
    from services.config.daemons import load  # noqa: PLC0415

    send_order(load(config, "data-owner"), "data_owner", WithdrawOrder(), 0)
    _told({"withdrawal": "asked"}, json=json)


def stop(
    training: TrainingNumber,
    config: ConfigFile,
    reason: Annotated[str, typer.Option(help="Noted with the training.")] = "stopped by its operator",
    json: Json = False,
) -> None:
    """Have the buyer's or the aggregator's daemon end a training; what was recorded is settled."""
    from protocol.messages import StopOrder  # noqa: PLC0415
    from services.common.errors import ConfigurationError  # noqa: PLC0415
    from services.config.daemons import AggregatorConfig, ModelBuyerConfig, load  # noqa: PLC0415

    settings = load(config)
    if not isinstance(settings, ModelBuyerConfig | AggregatorConfig):
        raise ConfigurationError(f"{config} configures the daemon {settings.daemon}; it stops no training")
    role: PartyRole = "model_buyer" if isinstance(settings, ModelBuyerConfig) else "federated_aggregator"
    send_order(settings, role, StopOrder(training=training, reason=reason), training)
    _told({"training": training, "stop": "asked"}, json=json)


def _decide(config: Path, body: "OwnerDecision", *, json: bool) -> None:
    from services.config.daemons import load  # noqa: PLC0415

    send_order(load(config, "data-owner"), "data_owner", body, body.training)
    _told({"training": body.training, "decision": "accept" if body.accept else "decline"}, json=json)


def send_order(
    config: "ModelBuyerConfig | DataOwnerConfig | AggregatorConfig",
    role: "PartyRole",
    body: "Message",
    training: int,
) -> bytes:
    """Sign with the daemon's own key, seal to it, publish to its queue; returns the message id."""
    from services.bus.open_bus import open_bus  # noqa: PLC0415
    from services.common.files import read_passphrase  # noqa: PLC0415
    from services.identity.keystore import Keystore  # noqa: PLC0415
    from services.identity.signing import order_to_self  # noqa: PLC0415

    identity = Keystore.open(config.keystore, read_passphrase(config.passphrase_file)).identity
    order = order_to_self(identity, role, body, training)

    async def publish() -> None:
        bus = open_bus(config.broker)
        try:
            await bus.publish(order)
        finally:
            await bus.close()

    asyncio.run(publish())
    return order.envelope.message_id


def _told(what: dict[str, object], *, json: bool) -> None:
    if json:
        print_json(what)
    else:
        print_line(", ".join(f"{name}: {value}" for name, value in what.items()))
