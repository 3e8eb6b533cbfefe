"""`deltaml demo --console`: the market stays up, and every party's console is a click from one start page.

The start page signs its visitor in everywhere: cookies know no ports, so it can set each console's session.
It opens for the secret in the address that the terminal shows, which others on the machine do not have.
"""

import asyncio
import hmac
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from aiohttp import web

from protocol.asset import Assets as KnownAssets
from protocol.data_set import DataSet
from services.common.http_server import listening
from services.config.console import ConsoleSettings
from services.console.app import Console, serving
from services.console.auth.accounts import Accounts
from services.console.auth.origins import Origins
from services.console.auth.security import secure
from services.console.buyer.views import Training
from services.console.party import BuyerResources, OwnerResources, Party
from services.console.presentation.assets import Assets
from services.console.presentation.i18n import gettext_noop as _
from services.console.presentation.i18n import negotiate, translations
from services.console.presentation.rendering import Templates
from services.console.web.context import ConsoleContext
from services.console.web.hub import Hub
from services.data.catalog import Catalog
from services.data.catalog_watcher import watch_catalog
from services.identity.operator_orders import orders_over
from services.participants.assembly import Participant
from services.participants.data_owner import OwnerRole
from services.sandbox.local_market import LocalMarket
from services.sandbox.pooled import PooledError, pooled_errors

HOST = "127.0.0.1"
ACCOUNT = "demo"
_COOKIE = "deltaml_demo"
_LABELS = {
    "model_buyer": (_("Model buyer"), _("Orders trainings, pays for them, and gets the models.")),
    "federated_aggregator": (
        _("Aggregator"),
        _("Brings trainings together and averages what it cannot read."),
    ),
    "data_owner": (_("Data owner"), _("Trains or validates on rows that stay with it, and is paid.")),
}


@dataclass(frozen=True, slots=True)
class Place:
    """A party's console and where it is served."""

    label: str
    about: str
    address: str
    context: ConsoleContext
    url: str


class StartPage:
    """The page that leads to all consoles."""

    def __init__(self, places: list[Place], password: str, order: Callable[[], Awaitable[object]]) -> None:
        """`order` has the buyer order another training."""
        self.key = secrets.token_urlsafe(24)
        self.visited = asyncio.Event()
        self._places, self._password, self._order = places, password, order
        self._assets = Assets()
        self._templates = Templates(self._assets.url)
        self._origins = Origins(HOST, None, tls=False)

    def application(self) -> web.Application:
        """The aiohttp application, to be served once."""

        async def prepared(_request: web.Request, response: web.StreamResponse) -> None:
            secure(response, tls=False)

        application = web.Application()
        application.on_response_prepare.append(prepared)
        application.add_routes(
            [
                web.get("/", self._start),
                web.get("/state", self._state),
                web.post("/train", self._train),
                web.get("/static/{hash}/{path:.+}", self._assets.serve),
            ]
        )
        return application

    async def _start(self, request: web.Request) -> web.StreamResponse:
        given = request.query.get("key")
        if given is not None and self._is_key(given):
            return self._signed_in()
        self._admit(request)
        self.visited.set()
        return web.Response(text=self._render(request, "demo/start.html"), content_type="text/html")

    async def _state(self, request: web.Request) -> web.StreamResponse:
        self._admit(request)
        return web.Response(text=self._render(request, "demo/_state.html"), content_type="text/html")

    async def _train(self, request: web.Request) -> NoReturn:
        self._admit(request)
        if not self._origins.own(request.headers):
            raise web.HTTPForbidden
        await self._order()
        raise web.HTTPSeeOther("/")

    def _signed_in(self) -> web.Response:
        """The page's own cookie and a session at every console; then the address without the secret."""
        response = web.Response(status=303, headers={"Location": "/"})
        cookies = {place.context.cookie: place.context.sessions.start(ACCOUNT) for place in self._places}
        for name, value in {_COOKIE: self.key, **cookies}.items():
            response.set_cookie(name, value, httponly=True, samesite="Strict", path="/")
        return response

    def _admit(self, request: web.Request) -> None:
        if not self._origins.knows(request.headers.get("Host", "")):
            raise web.HTTPMisdirectedRequest
        if not self._is_key(request.cookies.get(_COOKIE, "")):
            raise web.HTTPForbidden(text="Open the address that the terminal shows.")

    def _is_key(self, given: str) -> bool:
        return hmac.compare_digest(given.encode(errors="replace"), self.key.encode())

    def _render(self, request: web.Request, template: str) -> str:
        language = negotiate(request.headers.get("Accept-Language", ""))
        translated = translations(language).gettext
        buyer = self._places[0]
        values: Mapping[str, Any] = {
            "language": language,
            "theme": "auto",
            "csrf": "",
            "parties": [
                # Buyer and aggregator stand alone (−1, 0); owners are counted.
                (f"{translated(place.label)} {number}" if number > 0 else translated(place.label), place)
                for number, place in enumerate(self._places, start=-1)
            ],
            "trainings": Training.newest(buyer.context.party),
            "buyer_url": buyer.url,
            "account": ACCOUNT,
            "password": self._password,
        }
        return self._templates.render(language, template, values)


@asynccontextmanager
async def consoles(
    market: LocalMarket,
    hubs: Mapping[str, Hub],
    folder: Path,
    port: int,
    order: Callable[[], Awaitable[object]],
) -> AsyncIterator[tuple[StartPage, str]]:
    """Serve everybody's console and the start page while the block runs; gives the page and its address.

    `hubs` are the parties' by address. The start page is on `port`, the consoles on the ports after it, all
    on loopback; 0 takes free ones. The accounts' file and the owners' catalogues are made in `folder`. Raises
    ConfigurationError for a port that is taken.
    """
    password = secrets.token_urlsafe(12)
    users = folder / "console-users.json"
    Accounts(users).add(ACCOUNT, password, "operator")
    async with AsyncExitStack() as stack:
        places = []
        pooled = pooled_errors(_data_sets(market))
        reading = asyncio.Semaphore(1)  # one for all parties: they share this process's memory
        buyer = BuyerResources(folder / "uploads", reading=reading)
        for number, party in enumerate(market.parties, start=1):
            settings = ConsoleSettings(port=port + number if port else 0, users_file=users)
            owner = _owner_resources(party, folder, reading)
            aggregator = market.aggregator.identity.address
            place = _place(party, settings, hubs, owner, buyer, aggregator, market.assets, pooled)
            places.append(await stack.enter_async_context(place))
        page = StartPage(places, password, order)
        start = listening(page.application(), HOST, port, option="--console-port")
        yield page, f"http://{HOST}:{await stack.enter_async_context(start)}/?key={page.key}"


@asynccontextmanager
async def _place(
    party: Participant,
    settings: ConsoleSettings,
    hubs: Mapping[str, Hub],
    owner: OwnerResources | None,
    buyer: BuyerResources,
    aggregator: str,
    assets: KnownAssets,
    pooled: PooledError,
) -> AsyncIterator[Place]:
    role, address = party.runtime.role.name, party.identity.address
    console = Console(
        Party(
            role=role,
            address=address,
            market=party.client.market,
            store=party.store,
            order=orders_over(party.bus, party.identity, party.client.market, role),
            balance=lambda token: party.client.balance_of(address, token),
            owner_resources=owner,
            aggregators=(aggregator,),
            assets=assets,
            pooled=pooled,
            buyer_resources=buyer if role == "model_buyer" else None,
        ),
        settings,
        hubs[address],
    )
    label, about = _LABELS[role]
    async with serving(console) as port, _watching(party, owner):
        yield Place(label, about, address, console.context, f"http://{HOST}:{port}/")


def _data_sets(market: LocalMarket) -> dict[str, DataSet]:
    """What each owner has at the start, by its address."""
    return {
        party.identity.address: data_set
        for party in market.owners
        if isinstance(party.runtime.role, OwnerRole)
        for data_set in party.runtime.role.data_sets().values()
    }


def _owner_resources(party: Participant, folder: Path, reading: asyncio.Semaphore) -> OwnerResources | None:
    """A data owner's: what it has in memory goes into a catalogue, which it uses from then on."""
    role = party.runtime.role
    if not isinstance(role, OwnerRole):
        return None
    catalogue = Catalog(folder / f"datasets-{party.identity.address}")
    in_memory = role.data_sets()
    for name, data_set in in_memory.items():
        card, statistic, declared, _ = data_set
        catalogue.add(name, statistic, "demo", card=card, declared=declared, replace=True)
    role.data_sets = lambda: {
        name: one._replace(tables=in_memory[name].tables if name in in_memory else None)
        for name, one in catalogue.all().items()
    }
    return OwnerResources(catalogue, role.configured, reading=reading)


@asynccontextmanager
async def _watching(party: Participant, owner: OwnerResources | None) -> AsyncIterator[None]:
    """Look after an owner's catalogue while the block runs."""
    role, runtime = party.runtime.role, party.runtime
    if owner is None or not isinstance(role, OwnerRole):
        yield
        return
    watch = asyncio.create_task(watch_catalog(owner.catalogue, role.undecided, runtime.offer))
    try:
        yield
    finally:
        watch.cancel()
