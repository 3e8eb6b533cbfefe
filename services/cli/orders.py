"""`deltaml train`, `accept`, `decline`, `stop`: signed messages to one's own daemon."""

from pathlib import Path
from typing import Annotated, Any

import typer

from protocol.errors import MisuseError
from protocol.marketplace import PartyRole
from protocol.messages import OwnerDecision, StopOrder, TrainingOrder
from protocol.roles.buyer.ordering import check_order
from services.cli.admission_options import Admit, AdmitCard, OtherOwners, own_policy
from services.cli.amounts import Wei
from services.cli.follow import follow, goes_on
from services.cli.options import ConfigFile, Json
from services.cli.order_sending import (
    ANSWER_SECONDS,
    NoWait,
    Wait,
    give_order,
    opened_store,
    wait_for,
)
from services.cli.output import print_outcome
from services.cli.request import tell_warnings
from services.cli.waiting import going_on, waiting
from services.common.documents import load_request
from services.common.errors import ConfigurationError
from services.config.daemons import AggregatorConfig, ModelBuyerConfig, load
from services.records.order_answers import OrderAnswer
from services.store import InstanceRow, Store

TrainingNumber = Annotated[
    int, typer.Argument(metavar="TRAINING", help="The contract's number of the training.", min=1)
]


def train(
    request: Annotated[
        Path, typer.Argument(metavar="REQUEST", help="The request, a YAML file such as REQUEST.yaml.")
    ],
    config: ConfigFile,
    *,
    admit: Admit = None,
    admit_card: AdmitCard = None,
    others: OtherOwners = None,
    follow_it: Annotated[
        bool, typer.Option("--follow", help="Show the training live until it ends; Ctrl-C leaves it running.")
    ] = False,
    wait: Wait = ANSWER_SECONDS,
    no_wait: NoWait = False,
    wei: Wei = False,
    json: Json = False,
) -> None:
    """Ask the buyer's daemon to have a model trained, and tell what daemon and contract say to it."""
    if follow_it and (json or no_wait):
        raise MisuseError("--follow shows the training to people: leave out --json and --no-wait")
    wanted = load_request(request)
    settings = load(config, "model-buyer")
    check_order(wanted)
    tell_warnings(wanted)
    seconds = 0.0 if no_wait else wait
    own = own_policy(admit or [], admit_card or [], others, settings.names)
    order = TrainingOrder(request=wanted, admission=own)
    message_id, answer = give_order(settings, "model_buyer", order, seconds=seconds)
    key = f"order:{message_id.hex()}"
    outcome: dict[str, Any] = {"order": key, "request": wanted.name}
    if answer is None:
        print_outcome(outcome, json=json)
        return
    with opened_store(settings) as store:
        with going_on(lambda: goes_on(store, key)):
            training = _opened(store, key, seconds)
        outcome |= {"answer": answer.code, "training": training}
        shown = outcome if json else {**outcome, "training": training or "not on the chain yet"}
        print_outcome(shown, json=json)
        if follow_it:
            names, assets = settings.names, settings.assets
            follow(store, key, wanted.schedule.rounds, names, wei=wei, assets=assets)


def _opened(store: Store, key: str, seconds: float) -> int | None:
    """The training's number once the chain shows it; None where it does not in time.

    Raises MisuseError where the contract refuses to open it; no deposit is paid then.
    """

    def decided() -> InstanceRow | None:
        row = store.instance(key)
        return row if row is not None and (row.training is not None or row.finished) else None

    with waiting(f"waiting for the contract to open the training, at most {seconds:g} s"):
        row = wait_for(decided, seconds)
    if row is not None and row.training is None:
        raise MisuseError(
            f"the contract does not open the training, and no deposit is paid: {row.display_status}; "
            "is request.aggregator the address of a registered aggregator?"
        )
    return None if row is None else row.training


def accept(
    training: TrainingNumber,
    config: ConfigFile,
    data_set: Annotated[str | None, typer.Option(help="Take part with this data set.")] = None,
    beyond_budget: Annotated[
        bool, typer.Option("--beyond-budget", help="Even if the data set's budget is used up.")
    ] = False,
    wait: Wait = ANSWER_SECONDS,
    no_wait: NoWait = False,
    json: Json = False,
) -> None:
    """Have the owner's daemon join a training that waits for a decision."""
    decision = OwnerDecision(training=training, accept=True, data_set=data_set, beyond_budget=beyond_budget)
    _decide(config, decision, 0.0 if no_wait else wait, json=json)


def decline(
    training: TrainingNumber,
    config: ConfigFile,
    wait: Wait = ANSWER_SECONDS,
    no_wait: NoWait = False,
    json: Json = False,
) -> None:
    """Have the owner's daemon decline a training that waits for a decision."""
    _decide(config, OwnerDecision(training=training, accept=False), 0.0 if no_wait else wait, json=json)


def _decide(config: Path, decision: OwnerDecision, seconds: float, *, json: bool) -> None:
    settings = load(config, "data-owner")
    _, answer = give_order(settings, "data_owner", decision, decision.training, seconds=seconds)
    word = "accept" if decision.accept else "decline"
    print_outcome({"training": decision.training, "decision": word, **told_answer(answer)}, json=json)


def stop(
    training: TrainingNumber,
    config: ConfigFile,
    reason: Annotated[str, typer.Option(help="Recorded with the training.")] = "stopped by its operator",
    wait: Wait = ANSWER_SECONDS,
    no_wait: NoWait = False,
    json: Json = False,
) -> None:
    """Have the buyer's or the aggregator's daemon end a training; what was recorded is settled."""
    settings = load(config)
    if not isinstance(settings, ModelBuyerConfig | AggregatorConfig):
        raise ConfigurationError(f"{config} configures the daemon {settings.daemon}; it stops no training")
    role: PartyRole = "model_buyer" if isinstance(settings, ModelBuyerConfig) else "federated_aggregator"
    order = StopOrder(training=training, reason=reason)
    _, answer = give_order(settings, role, order, training, seconds=0.0 if no_wait else wait)
    print_outcome({"training": training, "stop": "asked", **told_answer(answer)}, json=json)


def told_answer(answer: OrderAnswer | None) -> dict[str, str]:
    """What is known of an answer, for people and programs."""
    if answer is None:
        return {}
    return {"answer": answer.code} | ({} if answer.state is None else {"state": answer.state})
