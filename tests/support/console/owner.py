"""An owner's trainings and data sets, as its daemon would have left them."""

import os
from pathlib import Path
from typing import Any

import numpy as np

from protocol.errors import DeltaMLError
from protocol.marketplace import (
    NATIVE,
    Cancelled,
    Credited,
    Opened,
    RolesDrawn,
    Settled,
    Token,
    Withdrawn,
)
from protocol.messages import Message
from protocol.messages.rounds.values import CommittedOwner
from protocol.request import Request
from protocol.roles.engine.state import BlobRef
from protocol.roles.owner.budget import count_numbers
from protocol.roles.owner.role import FINAL, display_status
from services.common.errors import DataSetError
from services.data.row_reader import Import
from services.data.sandboxed_reader import Found, found_in
from services.records.chain_facts import record_key, record_of
from services.store import Store
from tests.support.console.trainings import OWNERS, tell
from tests.support.console.world import ADDRESS, ConsoleWorld
from tests.support.daemons.service_world import event_of
from tests.support.database.stores import offered, writes
from tests.support.deployment.documents import KEY_ID, any_request
from tests.support.roles.pure_party import make_statistic
from tests.support.roles.states import state_of, stored
from tests.support.seats import seat_taken

BUYER = "0x" + "b0" * 20
JOIN_UNTIL = 1_900_000_000
COLUMNS = ("age", "bmi", "progression")
COMMITTED = CommittedOwner(rows=60, base=5, maps=(bytes(256),), gram=bytes(256))
"""What an owner has committed to, of which its pages show nothing."""


async def read_here(path: Path, declared: Import, name: str) -> Found:
    """As in a process of its own, which takes a second to start."""
    try:
        return found_in(path, declared)
    except DeltaMLError as error:
        raise DataSetError(str(error).replace(str(path), name)) from None


def request(**changes: Any) -> Request:
    """A request that centred columns serve."""
    features = [{"name": name, "minimum": -1, "maximum": 1} for name in COLUMNS[:2]]
    return any_request(features=features, **changes)


def add_rows(
    world: ConsoleWorld, name: str = "rows", rows: int = 60, columns: tuple[str, ...] = COLUMNS
) -> None:
    """A data set that serves the usual request, if it has its columns and rows."""
    values = np.random.default_rng(1).uniform(-0.05, 0.05, (rows, len(columns)))
    values[:, -1] = np.abs(values[:, -1]) * 1000
    world.owner.catalogue.add(name, make_statistic(columns, values), f"{name}.csv")


def put(world: ConsoleWorld, training: int = 1, **state: Any) -> str:
    """Write an owner's state for a training; returns its key."""
    return put_in(world.store, training, **state)


def put_in(store: Store, training: int, **state: Any) -> str:
    """The same in any owner's store."""
    wanted = state.pop("request", None) or request()
    opened = Opened(
        training=training,
        buyer=BUYER,
        aggregator=wanted.aggregator,
        deposit=wanted.payment.deposit_wei,
        terms=wanted.terms(KEY_ID),
    )
    invited = state.pop("invited", True)
    usual = {
        "phase": "ready",
        "request": wanted if invited else None,
        "opened": opened,
        "join_until": JOIN_UNTIL,
        "committed": COMMITTED,
        "secrets": BlobRef(digest=b"s" * 32),
    }
    values = state_of("data_owner", **{**usual, "training": training, "data_set": "rows", **state})
    done = writes(
        training=training,
        state=stored(values),
        display_status=display_status(values),
        finished=values.phase in FINAL,
        facts=[("asks_decision", {"data_set": "rows"})],
    )
    key = str(training)
    store.write_step(offered(store, os.urandom(32), key), done, 1_700_000_000.0 + training)
    tell(store, training, opened)
    return key


def left_by_its_buyer(store: Store, training: int, owner: str, token: Token = NATIVE) -> int:
    """A training that was cancelled when an owner and three others had roles; what each of them may claim."""
    wanted = request()
    wanted = wanted.model_copy(update={"payment": wanted.payment.model_copy(update={"token": token})})
    put_in(store, training, request=wanted, phase="failed", failure="cancelled")
    seats = [owner, *OWNERS[2:]]
    joined = [seat_taken(training=training, owner=one, seat=seat) for seat, one in enumerate(seats)]
    drawn = RolesDrawn(training=training, trainers=0b0011, validators=0b1100)
    kept = wanted.payment.deposit_wei * wanted.payment.abandon_bps // 10_000
    ended = Cancelled(training=training, refund=wanted.payment.deposit_wei - kept)
    tell(store, training, *joined, drawn, ended)
    return kept // len(seats)


def count(
    store: Store,
    training: int,
    buyer: str = BUYER,
    data_set: str = "rows",
    numbers: int = 1,
    *,
    is_pooled: bool = False,
) -> None:
    """A training that the data set has taken part in."""
    effect = count_numbers(training, buyer, data_set, numbers, is_pooled=is_pooled)
    store.put_value(effect.name, effect.content or b"")


def pay(world: ConsoleWorld, training: int, **shares: int) -> None:
    """What the contract credits this owner with, and somebody else beside it."""
    for share, amount in shares.items():
        tell(world.store, training, Credited(training=training, account=ADDRESS, share=share, amount=amount))
        tell(world.store, training, Credited(training=training, account=OWNERS[0], share=share, amount=7))
    paid = sum(shares.values())
    tell(world.store, training, Settled(training=training, improvement=10**17, paid=paid, refund=0))


def withdrawn(world: ConsoleWorld, amount: int) -> None:
    """A withdrawal that the chain has confirmed."""
    event = event_of(Withdrawn(account=ADDRESS, amount=amount), 99)
    world.store.note_once(record_key(None), *record_of(event), 1_700_000_500.0)


def ordered(world: ConsoleWorld) -> list[Message]:
    """What the console has asked of the daemon."""
    return [body for body, _training in world.orders]
