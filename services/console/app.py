"""A daemon's console as an aiohttp application, and serving it beside the runtime."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import partial

from aiohttp import web

from protocol.marketplace import PartyRole
from services.common.errors import ConfigurationError
from services.common.http_server import listening
from services.config.console import ConsoleSettings
from services.console.aggregator import section as aggregator
from services.console.auth.security import secure
from services.console.buyer import section as buyer
from services.console.owner import section as owner
from services.console.party import Party
from services.console.web import full_record, signin
from services.console.web.access import Guard, access, page_of
from services.console.web.context import ConsoleContext
from services.console.web.error_pages import error_pages
from services.console.web.hub import Hub
from services.console.web.live import LivePages
from services.console.web.section import Section

SECTIONS: Mapping[PartyRole, Section] = {
    "model_buyer": buyer.SECTION,
    "data_owner": owner.SECTION,
    "federated_aggregator": aggregator.SECTION,
}


class Console:
    """One party's console. Several may run in one process, each on a port of its own."""

    def __init__(self, party: Party, settings: ConsoleSettings, hub: Hub) -> None:
        """`hub.wake` must be told of the daemon's changes."""
        self.context = ConsoleContext(party, settings, hub, SECTIONS[party.role])

    def application(self) -> web.Application:
        """The aiohttp application, to be served once."""
        context = self.context

        async def prepared(_request: web.Request, response: web.StreamResponse) -> None:
            secure(response, tls=context.origins.tls)

        async def stopping(_application: web.Application) -> None:
            context.hub.close()

        guard = Guard(context)
        application = web.Application(middlewares=[error_pages, guard.handle])
        application.on_response_prepare.append(prepared)
        application.on_shutdown.append(stopping)
        application.add_routes(self._routes())
        return application

    def _routes(self) -> list[web.RouteDef]:
        context = self.context
        live = LivePages(context.hub, context.section.live)
        return [
            web.get("/", _home),
            web.get("/sign-in", signin.show),
            web.post("/sign-in", signin.submit),
            web.post("/sign-out", signin.leave),
            web.post("/preferences", signin.prefer),
            web.get("/static/{hash}/{path:.+}", access("public")(partial(context.assets.serve))),
            web.get("/live/{topic}", live.handle),
            web.get("/live/{topic}/{argument}", live.handle),
            web.get("/trainings/{key}/all", full_record.show),
            *context.section.routes,
        ]


async def _home(request: web.Request) -> web.StreamResponse:
    page = page_of(request)
    return page.redirect(page.context.section.home)


@asynccontextmanager
async def serving(console: Console | None) -> AsyncIterator[int | None]:
    """Serve a console while the block runs, which gets its port; None serves nothing.

    Raises ConfigurationError for a port that is taken, and for accounts or a certificate that cannot be used.
    """
    if console is None:
        yield None
        return
    context, settings = console.context, console.context.settings
    context.accounts.all()  # a file that cannot be used is told at the start
    pushing = asyncio.create_task(context.hub.run())
    try:
        place, tls = (settings.host, settings.port), _tls(settings)
        async with listening(console.application(), *place, option="console.port", tls=tls) as port:
            yield port
    finally:
        pushing.cancel()


def _tls(settings: ConsoleSettings) -> ssl.SSLContext | None:
    if settings.certificate_file is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        context.load_cert_chain(settings.certificate_file, settings.key_file)
    except (OSError, ssl.SSLError) as error:
        raise ConfigurationError(
            f"console.certificate_file and console.key_file cannot be used: {error.strerror or error}"
        ) from None
    return context
