"""What all requests to one console share: its party, accounts and sessions, defences, templates, viewers."""

import asyncio

from services.config.console import ConsoleSettings
from services.console.auth.accounts import Accounts
from services.console.auth.devices import KnownDevices
from services.console.auth.guessing import Guesses
from services.console.auth.origins import Origins
from services.console.auth.password_check import PasswordCheck
from services.console.auth.sessions import Sessions
from services.console.party import Party
from services.console.presentation.assets import Assets
from services.console.presentation.rendering import Templates
from services.console.web.hub import Hub
from services.console.web.section import Section


class ConsoleContext:
    """One party's console without its routes. Several may live in one process."""

    def __init__(self, party: Party, settings: ConsoleSettings, hub: Hub, section: Section) -> None:
        """`section` is the part of the party's role."""
        self.party, self.settings, self.hub, self.section = party, settings, hub, section
        self.origins = Origins(settings.host, settings.public_url, tls=settings.certificate_file is not None)
        self.accounts = Accounts(settings.users_file)
        self.sessions = Sessions(party.store, self.accounts)
        self.assets = Assets()
        self.templates = Templates(self.assets.url)
        self.guesses, self.passwords = Guesses(), PasswordCheck(self.accounts)
        self.devices = KnownDevices(party.store)
        self.proxies = settings.proxies
        self.reading_yaml = asyncio.Semaphore(1)

    @property
    def cookie(self) -> str:
        """The session's cookie; ports share cookies, so consoles on one host need names of their own."""
        name = f"deltaml_{self.party.role}_{self.party.address[2:10]}"
        return f"__Host-{name}" if self.origins.tls else name

    @property
    def device_cookie(self) -> str:
        """The cookie that a browser keeps which has signed in before."""
        return f"{self.cookie}_device"
