"""Pages: templates in a reader's language, and the page that a request asks for."""

from dataclasses import dataclass
from typing import Any, TypeVar

from aiohttp import web

from services.console.auth.security import CSRF_FIELD, masked
from services.console.auth.sessions import Session
from services.console.party import Party
from services.console.presentation.i18n import LANGUAGES
from services.console.presentation.rendering import Reader
from services.console.web.client_address import client_address
from services.console.web.context import ConsoleContext
from services.console.web.forms import LARGE, SMALL, Form, read_form
from services.store import Store

THEMES = ("auto", "light", "dark")
LANGUAGE_COOKIE, THEME_COOKIE = "deltaml_language", "deltaml_theme"
_COMPRESSED_FROM = 1024
_FORM: web.RequestKey[Form] = web.RequestKey("form", Form)
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Page:
    """The page that a request asks for."""

    request: web.Request
    context: ConsoleContext
    session: Session | None
    reader: Reader
    theme: str

    @property
    def party(self) -> Party:
        """Whose console it is."""
        return self.context.party

    @property
    def store(self) -> Store:
        """The daemon's."""
        return self.context.party.store

    def render(self, template: str, /, *, status: int = 200, **values: Any) -> web.Response:
        """The page from its template."""
        text = self.reader.fragment(template, **self._values(), **values)
        return self.html(text, status=status)

    def html(self, text: str, *, status: int = 200) -> web.Response:
        """Rendered HTML as a response."""
        response = web.Response(text=text, content_type="text/html", status=status)
        if len(text) >= _COMPRESSED_FROM:
            response.enable_compression()
        return response

    def problem(self, status: int, title: str, advice: str) -> web.Response:
        """What went wrong and what to do, both translated here; a fragment when htmx asks."""
        gettext = self.reader.gettext
        template = "problem.html" if "HX-Request" in self.request.headers else "error.html"
        return self.render(template, status=status, title=gettext(title), advice=gettext(advice))

    @property
    def address(self) -> str:
        """From where it is asked for."""
        return client_address(self.request, self.context.proxies)

    async def sent(self) -> Form:
        """The form that was sent, as long as this reader's may be; it is read once."""
        if _FORM not in self.request:
            self.request[_FORM] = await read_form(self.request, LARGE if self.reader.operates else SMALL)
        return self.request[_FORM]

    async def form(self) -> dict[str, str]:
        """The texts that were sent, by the names of their inputs."""
        texts = (await self.sent()).texts
        return {name: text for name, text in texts.items() if name != CSRF_FIELD}

    def redirect(self, path: str) -> web.Response:
        """Send the browser on to a page of ours, also when htmx asks."""
        if "HX-Request" in self.request.headers:
            return web.Response(headers={"HX-Redirect": path})
        return web.Response(status=303, headers={"Location": path})

    def _here(self) -> str:
        """Where a reader who changes the language comes back to; some forms' addresses cannot be opened."""
        if self.request.method == "GET":
            return self.request.rel_url.raw_path_qs
        return "/sign-in" if self.session is None else self.context.section.home

    def _values(self) -> dict[str, Any]:
        section = self.context.section
        return {
            "session": self.session,
            "csrf": "" if self.session is None else masked(self.session.csrf),
            "language": self.reader.language,
            "languages": LANGUAGES,
            "theme": self.theme,
            "themes": THEMES,
            "path": self.request.rel_url.raw_path,
            "here": self._here(),
            "query": self.request.query,
            "home": section.home,
            "section_title": self.reader.gettext(section.title),
            "navigation": [(entry.path, self.reader.gettext(entry.label)) for entry in section.navigation],
        }


def or_not_found(value: _T | None) -> _T:
    """What a page is about; raises HTTPNotFound for None."""
    if value is None:
        raise web.HTTPNotFound
    return value
