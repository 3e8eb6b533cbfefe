"""A console of one party in this process, with accounts, and browsers to it."""

import json
import os
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Self

from aiohttp import ClientResponse, ClientSession, CookieJar
from nacl.pwhash import argon2id

from protocol.bought_model import BoughtModel
from protocol.errors import DeltaMLError
from protocol.messages import Message
from protocol.owner_policy import OwnerPolicy
from services.common.errors import DataSetError
from services.common.files import write_private
from services.config.console import ConsoleSettings
from services.console.app import Console, serving
from services.console.auth.accounts import Accounts
from services.console.party import BuyerResources, OwnerResources, Party
from services.console.web.hub import Hub
from services.data.catalog import Catalog
from services.data.own_scores import OwnScores, own_scores
from services.records.order_answers import ACCEPTED, OrderAnswer
from services.store import Store
from tests.support.daemons.service_world import MARKET

PASSWORD = "a long enough password"
ADDRESS = "0x" + "b1" * 20


@cache
def _users() -> bytes:
    """A file of accounts whose passwords are compared in no time: what that costs is tested by itself."""
    limits = {"opslimit": argon2id.OPSLIMIT_MIN, "memlimit": argon2id.MEMLIMIT_MIN}
    password = argon2id.str(PASSWORD.encode(), **limits).decode()
    roles = {"olga": "operator", "victor": "viewer", "demo": "operator"}
    return json.dumps({name: {"role": role, "password": password} for name, role in roles.items()}).encode()


class ConsoleWorld:
    """A party's console and what it ordered."""

    def __init__(
        self,
        folder: Path,
        role: str = "model_buyer",
        *,
        store: Store | None = None,
        resources: Mapping[str, Any] = MappingProxyType({}),
        **settings: Any,
    ):
        """`resources` are an owner's beyond the catalogue, `settings` the console's."""
        self.store, self.hub = store or Store(), Hub(pace_seconds=0.01)
        self.orders: list[tuple[Message, int]] = []
        self.answer: OrderAnswer | None = OrderAnswer(ACCEPTED)
        self.refusal: Exception | None = None
        self.balance = 5 * 10**18
        users = folder / "console-users.json"
        if not users.exists():
            write_private(users, _users())
        self.accounts = Accounts(users)
        self.owner = OwnerResources(Catalog(folder / "datasets"), OwnerPolicy(automatic=True), **resources)
        owner = self.owner if role == "data_owner" else None
        self.buyer = BuyerResources(folder / "uploads", score=score_here)
        self.party = Party(
            role,
            ADDRESS,
            MARKET,
            self.store,
            self._order,
            self._balance,
            owner,
            buyer_resources=self.buyer if role == "model_buyer" else None,
        )
        self.console = Console(self.party, ConsoleSettings(port=0, users_file=users, **settings), self.hub)
        self.url = ""

    async def _order(self, body: Message, training: int) -> bytes:
        if self.refusal is not None:
            raise self.refusal
        self.orders.append((body, training))
        message_id = os.urandom(16)
        if self.answer is not None:
            self.store.note(*self.answer.fact(message_id, body.type), 1.0)
        return message_id

    async def _balance(self, _token: str) -> int:
        if self.refusal is not None:
            raise self.refusal
        return self.balance

    @asynccontextmanager
    async def running(self) -> AsyncIterator["ConsoleWorld"]:
        async with serving(self.console) as port:
            self.url = f"http://127.0.0.1:{port}"
            yield self


async def score_here(path: Path, model: BoughtModel, name: str) -> OwnScores:
    """As in a process of its own, which takes a second to start."""
    try:
        return own_scores(model, path, 1_750_000_000.0)
    except DeltaMLError as error:
        raise DataSetError(str(error).replace(str(path), name)) from None


def party_of(store: Store) -> Party:
    """For views that only read: it neither orders nor asks the chain."""
    return Party("model_buyer", ADDRESS, MARKET, store, None, None)


class Browser:
    """A person's browser: keeps cookies, sends forms with the page's own token and origin."""

    def __init__(self, world: ConsoleWorld, **headers: str):
        self.world = world
        headers = headers or {"Accept-Language": "en"}
        self.http = ClientSession(base_url=world.url, cookie_jar=CookieJar(unsafe=True), headers=headers)
        self.token = ""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self.http.close()

    async def get(self, path: str, **options: Any) -> str:
        """A page that must be there."""
        async with self.http.get(path, **options) as response:
            text = await response.text()
            assert response.status == 200, (response.status, text)
        self._remember(text)
        return text

    async def status(self, path: str, **options: Any) -> int:
        async with self.http.get(path, allow_redirects=False, **options) as response:
            return response.status

    async def post(self, path: str, form: dict[str, Any] | None = None, **headers: str) -> ClientResponse:
        """Send a form as this console's own page would."""
        fields = {"csrf": self.token, **(form or {})}
        headers = {"Origin": self.world.url, **headers}
        response = await self.http.post(path, data=fields, headers=headers, allow_redirects=False)
        await response.read()
        return response

    async def sign_in(self, name: str = "olga", password: str = PASSWORD) -> ClientResponse:
        response = await self.post("/sign-in", {"name": name, "password": password})
        if response.status == 303:
            await self.get("/trainings")
        return response

    def _remember(self, text: str) -> None:
        found = re.search(r'name="csrf" value="([^"]+)"', text)
        if found:
            self.token = found.group(1)
