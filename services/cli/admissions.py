"""`deltaml admissions`, `admit`, `refuse`: which owners may take a seat in a buyer's trainings."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from protocol.messages import AdmissionOrder
from services.cli.options import ConfigFile, Json
from services.cli.order_sending import ANSWER_SECONDS, NoWait, Wait, give_order, opened_store
from services.cli.orders import TrainingNumber, told_answer
from services.cli.output import named, print_outcome, print_records
from services.common.addresses import party_address
from services.config.daemons import load
from services.records.seat_admissions import applicants

OwnerName = Annotated[
    str, typer.Argument(metavar="OWNER", help="The owner's address, or its name in the configuration.")
]
_COLUMNS = {
    "training": "training",
    "request": "request",
    "owner": "owner",
    "card": "card",
    "decision": "decision",
}
_NOBODY = "nobody would join a training that has not started: owners appear here once they ask to be admitted"


def admissions(
    config: ConfigFile,
    waiting: Annotated[
        bool, typer.Option("--waiting", help="Only owners about whom a person has to decide.")
    ] = False,
    json: Json = False,
) -> None:
    """Show which owners would join the buyer's trainings that have not started, and what was decided."""
    settings = load(config, "model-buyer")
    with opened_store(settings) as store:
        found = [one for one in applicants(store) if one.waits or not waiting]
    records = [{**asdict(one), "decision": one.code or "waits"} for one in found]
    if not json:
        records = [{**one, "owner": named(str(one["owner"]), settings.names)} for one in records]
    print_records(records, _COLUMNS, json=json, right=("training",), empty=_NOBODY)


def admit(
    training: TrainingNumber,
    owner: OwnerName,
    config: ConfigFile,
    wait: Wait = ANSWER_SECONDS,
    no_wait: NoWait = False,
    json: Json = False,
) -> None:
    """Have the buyer's daemon admit an owner that waits for a decision, so that it can join the training."""
    _decide(config, training, owner, admits=True, seconds=0.0 if no_wait else wait, json=json)


def refuse(
    training: TrainingNumber,
    owner: OwnerName,
    config: ConfigFile,
    wait: Wait = ANSWER_SECONDS,
    no_wait: NoWait = False,
    json: Json = False,
) -> None:
    """Have the buyer's daemon refuse an owner that waits for a decision; it cannot join any more."""
    _decide(config, training, owner, admits=False, seconds=0.0 if no_wait else wait, json=json)


def _decide(config: Path, training: int, owner: str, *, admits: bool, seconds: float, json: bool) -> None:
    settings = load(config, "model-buyer")
    address = party_address(owner, settings.names)
    order = AdmissionOrder(training=training, owner=address, admit=admits)
    _, answer = give_order(settings, "model_buyer", order, training, seconds=seconds)
    word = "admit" if admits else "refuse"
    print_outcome(
        {"training": training, "owner": address, "decision": word, **told_answer(answer)}, json=json
    )
