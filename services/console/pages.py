"""Pages: templates in a reader's language, and the page that a request asks for."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from aiohttp import web
from jinja2 import Environment, PackageLoader, StrictUndefined

from services.console.auth.security import masked
from services.console.auth.sessions import Session
from services.console.format import Formats, isoformat, points_text, short
from services.console.i18n import LANGUAGES, locale_of, translations
from services.console.party import Party
from services.console.words import FAILURES, STATES, state_word

if TYPE_CHECKING:
    from services.console.app import Console

THEMES = ("auto", "light", "dark")
LANGUAGE_COOKIE, THEME_COOKIE = "deltaml_language", "deltaml_theme"
_COMPRESSED_FROM = 1024
MOST_LIVE = 20
"""Rows of a list that grows with its training which are sent to every viewer again and again."""


class Templates:
    """The package's templates, one environment for each language."""

    def __init__(self, asset: Callable[[str], str]) -> None:
        """`asset` gives the address of a file by its path."""
        self._environments = {language: _environment(language, asset) for language in LANGUAGES}

    def render(self, language: str, name: str, values: Mapping[str, Any]) -> str:
        """A whole template."""
        return self._environments[language].get_template(name).render(values)


@dataclass(frozen=True, slots=True)
class Reader:
    """For whom something is rendered: all readers with the same language and rights see the same."""

    templates: Templates = field(repr=False)
    party: Party = field(repr=False)
    language: str = "en"
    operates: bool = False

    @property
    def formats(self) -> Formats:
        """Figures in the reader's language."""
        return Formats(locale_of(self.language))

    def gettext(self, text: str) -> str:
        """A text in the reader's language."""
        return translations(self.language).gettext(text)

    def fragment(self, template: str, /, **values: Any) -> str:
        """A template that is a part of a page."""
        return self.templates.render(self.language, template, {**self._values(), **values})

    def _values(self) -> dict[str, Any]:
        return {"operates": self.operates, "party": self.party}


@dataclass(frozen=True, slots=True)
class Page:
    """The page that a request asks for."""

    request: web.Request
    console: "Console"
    session: Session | None
    reader: Reader
    theme: str

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

    def redirect(self, path: str) -> web.Response:
        """Send the browser on to a page of ours, also when htmx asks."""
        if "HX-Request" in self.request.headers:
            return web.Response(headers={"HX-Redirect": path})
        return web.Response(status=303, headers={"Location": path})

    def _here(self) -> str:
        """Where a reader who changes the language comes back to; some forms' addresses cannot be opened."""
        if self.request.method == "GET":
            return self.request.rel_url.raw_path_qs
        return "/sign-in" if self.session is None else self.console.section.home

    def _values(self) -> dict[str, Any]:
        section = self.console.section
        return {
            "session": self.session,
            "csrf": "" if self.session is None else masked(self.session.csrf),
            "language": self.reader.language,
            "languages": LANGUAGES,
            "theme": self.theme,
            "themes": THEMES,
            "path": self.request.rel_url.raw_path,
            "here": self._here(),
            "home": section.home,
            "section_title": self.reader.gettext(section.title),
            "navigation": [(entry.path, self.reader.gettext(entry.label)) for entry in section.navigation],
        }


def _environment(language: str, asset: Callable[[str], str]) -> Environment:
    environment = Environment(
        loader=PackageLoader("services.console"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        extensions=["jinja2.ext.i18n"],
    )
    catalogue = translations(language)
    # The extension adds this method to the environment when it is loaded.
    environment.install_gettext_callables(  # type: ignore[attr-defined]
        catalogue.gettext, catalogue.ngettext, newstyle=True
    )
    formats = Formats(locale_of(language))
    filters = ("number", "significant", "metric", "percent", "ether", "moment", "duration")
    environment.filters |= {name: getattr(formats, name) for name in filters}
    environment.filters |= {
        "short": short,
        "points": points_text,
        "isoformat": isoformat,
        "state_word": state_word,
        "state_name": lambda shown: catalogue.gettext(STATES.get(state_word(shown), state_word(shown))),
        "failure_text": lambda code: catalogue.gettext(FAILURES[code]) if code in FAILURES else code,
    }
    environment.globals |= {"asset": asset, "most_live": MOST_LIVE}
    return environment
