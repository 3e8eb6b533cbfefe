"""Every page of the consoles in the states that people meet it in: out of stores, so that no daemon runs."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from protocol.marketplace import Cancelled, RolesDrawn, Settled
from protocol.roles.aggregator.lanes import SigningLane
from protocol.roles.engine import facts
from protocol.roles.shared.parties import Parties
from services.common.http_server import listening
from services.console.presentation.timeline import TEXTS
from services.records.offers import Asking, asking_value
from services.records.own_scores import keep_scores
from services.sandbox.start_page import _LABELS, Place, StartPage
from services.store import Store
from tests.support.console import aggregator, owner, trainings
from tests.support.console.codes import answer_codes, every_code
from tests.support.console.trainings import OWNERS, tell
from tests.support.console.world import ADDRESS, ConsoleWorld
from tests.support.daemons import offers
from tests.support.deployment.documents import AGGREGATOR, any_request
from tests.support.seats import seat_taken

LONG_NAME = "The course of diabetes within a year, of body mass, blood pressure and six serum measurements"
_AT = 1_750_000_000.0
_PARTY = dict.fromkeys(("owner", "participant", "accused", "checker"), OWNERS[1])
_SAMPLES = {**_PARTY, "decision": "declined", "role": "trainer", "data_set": "rows", "reasons": []}
_SAMPLES |= {"declined": {}, "waiting": {}}
"""Of a fact's data, by key; figures are 2."""


@dataclass(frozen=True, slots=True)
class Scene:
    """A page, and what a person has typed and then clicked on it, by selector, when it is looked at."""

    name: str
    path: str
    typed: tuple[tuple[str, str], ...] = ()
    clicked: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Stand:
    """A console and its scenes; a start page has no console, and its address opens it."""

    url: str
    scenes: tuple[Scene, ...]
    world: ConsoleWorld | None = None


@asynccontextmanager
async def gallery(folder: Path) -> AsyncIterator[tuple[Stand, ...]]:
    """All of them while the block runs: each role's console empty and full, and the demo's start page."""
    async with AsyncExitStack() as stack:
        stands = []
        for role, fill in _FILLED.items():
            for name, filled in (("empty", lambda _world: ()), ("full", fill)):
                (place := folder / f"{role}-{name}").mkdir(parents=True)
                world = ConsoleWorld(place, role)
                world.party.names[OWNERS[0]] = "Clinic of the north"
                scenes = filled(world) if name == "full" else _EMPTY[role]
                await stack.enter_async_context(world.running())
                stands.append(Stand(world.url, scenes, world))
        stands.append(await stack.enter_async_context(_start_page(stands)))
        yield tuple(stands)


def language_cookie(language: str, url: str) -> Any:
    """What a reader who has chosen a language sends, as Playwright takes it."""
    return {"name": "deltaml_language", "value": language, "url": url}


# ---- the buyer ----


def _buyer(world: ConsoleWorld) -> tuple[Scene, ...]:
    store = world.store
    _waiting_training(store)
    running = trainings.running_training(store, training=2, name=LONG_NAME, rounds=12)
    finished = trainings.finished_training(
        store, training=3, name="Costs of a stay", purpose="To plan visits"
    )
    _told(store, finished)
    scored = _scored_training(store)
    failed = "order:4"
    request = any_request(name="Too few owners", scale="none")
    trainings.put(store, failed, request, phase="failed", training=4, failure="not_enough_owners")
    tell(store, 4, Cancelled(training=4, refund=10**18))
    given_up = trainings.given_up_training(store, training=5, name="A round that was not in order")
    _offers(store)
    order = f"/trainings/new?from={finished}"
    return (
        Scene("buyer-trainings", "/trainings"),
        Scene("buyer-training-waiting", "/trainings/order:1"),
        Scene("buyer-training-running", f"/trainings/{running}"),
        Scene("buyer-training-finished", f"/trainings/{finished}"),
        Scene("buyer-training-scored", f"/trainings/{scored}"),
        Scene("buyer-training-failed", f"/trainings/{failed}"),
        Scene("buyer-training-given-up", f"/trainings/{given_up}"),
        Scene("buyer-training-all", f"/trainings/{finished}/all"),
        Scene("buyer-order", order),
        Scene("buyer-order-problems", order, typed=(("#rounds", "no number"), ("#contribution", "60"))),
        Scene("buyer-confirm", order, clicked=("#review",)),
        Scene("buyer-offers", "/offers"),
        Scene("buyer-offers-compared", f"/offers?request={finished}"),
        Scene("not-found", "/trainings/order:99"),
        Scene("sign-in", "/sign-in"),
    )


def _scored_training(store: Store) -> str:
    """A classification whose buyer has had it scored on rows of its own."""
    key = trainings.finished_training(
        store,
        training=6,
        name="Who comes back",
        model={"kind": "binary_classification"},
        target={"name": "back", "kind": "boolean"},
        start={"start": "mean", "value": "0.4"},
        scale="range",
    )
    keep_scores(store, key, trainings.CLASS_SCORES)
    return key


def _waiting_training(store: Store) -> None:
    request = any_request(name="Waiting for owners", scale="none")
    trainings.put(store, "order:1", request, phase="initiated", training=1, accepted=True)
    tell(store, 1, seat_taken(training=1, owner=OWNERS[0], seat=0))
    told = {
        "asked": 9,
        "joined": 1,
        "declined": dict.fromkeys(sorted(answer_codes()), 1),
        "waiting": {"asks_person": 2},
    }
    store.note("order:1", ("joining", told), _AT)


def _told(store: Store, key: str) -> None:
    """Whatever a time line may tell, with one code or another."""
    codes = sorted(every_code())
    for index, fact in enumerate(facts.FACTS[name] for name in TEXTS if name in facts.FACTS):
        data = {name: _SAMPLES.get(name, "2") for name in fact.keys}
        if "code" in data:
            data["code"] = codes[index * 7 % len(codes)]
        store.note(key, (fact.name, data), _AT + index)


def _offers(store: Store) -> None:
    market = offers.OfferMarket()
    market.announce(offers.OWNERS[0], offers.card("clinic-of-the-north", licence="CC-BY-4.0"))
    market.announce(offers.OWNERS[1], offers.card("practice"))
    market.ask()
    for name, content in market.store.values(f"told:{market.hub.address}:").items():
        store.put_value(f"told:{AGGREGATOR}:{name}", content)
    asked = asking_value(AGGREGATOR, Asking(order=b"o" * 16, asked_at=int(_AT), told_at=int(_AT) + 1))
    for name, content in asked.items():
        store.put_value(name, content)
    market.close()


# ---- the owner ----


def _owner(world: ConsoleWorld) -> tuple[Scene, ...]:
    owner.add_rows(world, "rows")
    owner.add_rows(world, "patients-of-the-north-2025", rows=3)
    owner.put(world, 1, request=owner.request(name=LONG_NAME))
    other = owner.request(name="Other columns", target={"name": "cost", "minimum": 0, "maximum": 900})
    owner.put(world, 2, phase="waiting", request=other, data_set="")
    _owner_ran(world)
    owner.put(world, 5, phase="declined", request=owner.request(name="Refused by a person"))
    owner.put(world, 6, phase="failed", failure="join_no_seat_left", request=owner.request(name="Too late"))
    _told(world.store, "3")
    owner.count(world.store, 3, numbers=12)
    owner.pay(world, 3, contribution=123_456_789_012_345_678, participation=10**16)
    owner.withdrawn(world, 5 * 10**16)
    return (
        Scene("owner-trainings", "/trainings"),
        Scene("owner-training-decision", "/trainings/1"),
        Scene("owner-training-no-match", "/trainings/2"),
        Scene("owner-training-finished", "/trainings/3"),
        Scene("owner-training-joined", "/trainings/4"),
        Scene("owner-training-declined", "/trainings/5"),
        Scene("owner-training-failed", "/trainings/6"),
        Scene("owner-training-all", "/trainings/3/all"),
        Scene("owner-data-sets", "/data-sets"),
        Scene("owner-data-set", "/data-sets/rows"),
        Scene("owner-card", "/data-sets/rows/card"),
        Scene("owner-policy", "/policy"),
        Scene("owner-policy-problem", "/policy", typed=(("#buyers", "somebody"),), clicked=("#save",)),
        Scene("owner-earnings", "/earnings"),
    )


def _owner_ran(world: ConsoleWorld) -> None:
    """A training that has ended, and one that was joined and waits for the others."""
    seats = (ADDRESS, *OWNERS[1:])
    request = owner.request(name="Costs of a stay", scale="none")
    owner.put(world, 3, phase="finished", request=request, rows=60)
    joined = [seat_taken(training=3, owner=one, seat=seat) for seat, one in enumerate(seats)]
    rounds = [trainings.round_of(3, number, last=number == 12) for number in range(1, 13)]
    tell(world.store, 3, *joined, RolesDrawn(training=3, trainers=0b00111, validators=0b11000), *rounds)
    owner.put(world, 4, phase="initiated", request=owner.request(name="With a seat"))
    tell(world.store, 4, seat_taken(training=4, owner=ADDRESS, seat=0))


# ---- the aggregator ----


def _aggregator(world: ConsoleWorld) -> tuple[Scene, ...]:
    store, put = world.store, aggregator.put
    timers = {"updates:5": _AT + 60, "signatures:4.2": _AT + 30}
    lanes = {
        "training_lane": aggregator.in_training(5, 0, 2),
        "evaluation": aggregator.measured(4, SigningLane, **aggregator.signed_by(3)),
    }
    answered = [
        ("owner_answered", {"owner": OWNERS[0], "decision": "declined", "code": code})
        for code in answer_codes()
    ]
    request = any_request(name=LONG_NAME, scale="none")
    put(store, training=1, request=request, dropped=0b00010, facts=answered, timers=timers, **lanes)
    joined = [seat_taken(training=1, owner=one, seat=seat) for seat, one in enumerate(OWNERS)]
    drawn = RolesDrawn(training=1, trainers=0b00111, validators=0b11000)
    tell(store, 1, *joined, drawn, *(trainings.round_of(1, number) for number in (1, 2, 3)))
    put(store, training=2, phase="requested", opened=None, request=None, parties=Parties())
    put(store, training=3, phase="failed", failure="too_few_signatures")
    tell(store, 3, Settled(training=3, improvement=0, paid=0, refund=10**18))
    _told(store, "1")
    return (
        Scene("aggregator-trainings", "/trainings"),
        Scene("aggregator-training-running", "/trainings/1"),
        Scene("aggregator-training-requested", "/trainings/2"),
        Scene("aggregator-training-failed", "/trainings/3"),
        Scene("aggregator-training-all", "/trainings/1/all"),
        Scene("aggregator-earnings", "/earnings"),
    )


_FILLED: dict[str, Callable[[ConsoleWorld], tuple[Scene, ...]]] = {
    "model_buyer": _buyer,
    "data_owner": _owner,
    "federated_aggregator": _aggregator,
}
_EMPTY = {
    "model_buyer": (
        Scene("empty-buyer-trainings", "/trainings"),
        Scene("empty-buyer-order", "/trainings/new"),
        Scene("empty-buyer-offers", "/offers"),
    ),
    "data_owner": (
        Scene("empty-owner-trainings", "/trainings"),
        Scene("empty-owner-data-sets", "/data-sets"),
        Scene("empty-owner-policy", "/policy"),
        Scene("empty-owner-earnings", "/earnings"),
    ),
    "federated_aggregator": (Scene("empty-aggregator-trainings", "/trainings"),),
}


# ---- the demo's start page ----


@asynccontextmanager
async def _start_page(stands: list[Stand]) -> AsyncIterator[Stand]:
    worlds = [stand.world for stand in stands[1::2] if stand.world is not None]
    buyer, one_owner, hub = worlds
    places = []
    for world in (buyer, hub, one_owner, one_owner):
        label, about = _LABELS[world.party.role]
        places.append(Place(label, about, ADDRESS, world.console.context, f"{world.url}/"))

    async def order() -> None:
        """Nobody presses the button."""

    page = StartPage(places, "a password to be shown", order)
    async with listening(page.application(), "127.0.0.1", 0, option="port") as port:
        yield Stand(f"http://127.0.0.1:{port}", (Scene("start", f"/?key={page.key}"),))
