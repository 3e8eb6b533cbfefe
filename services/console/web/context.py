"""What all requests to one console share: its party, accounts and sessions, defences, templates, viewers."""

import asyncio

from services.config.daemons import ConsoleSettings
from services.console.auth.accounts import Accounts
from services.console.auth.security import Origins, SignInLimit
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
        self.limit_by_account = SignInLimit(free=5, longest_seconds=300.0)
        self.limit_by_address = SignInLimit(free=20, longest_seconds=900.0)
        self.verifying = asyncio.Semaphore(2)

    @property
    def cookie(self) -> str:
        """The session's cookie; ports share cookies, so consoles on one host need names of their own."""
        name = f"deltaml_{self.party.role}_{self.party.address[2:10]}"
        return f"__Host-{name}" if self.origins.tls else name
