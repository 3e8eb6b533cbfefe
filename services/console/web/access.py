"""Who may ask for what: every request passes here before its handler, and every action is logged."""

from collections.abc import Awaitable, Callable
from typing import Any, Literal, TypeVar
from urllib.parse import quote

import structlog
from aiohttp import hdrs, web

from services.config.console import host_name
from services.console.auth.security import CSRF_FIELD, CSRF_HEADER, unmasks_to
from services.console.presentation.i18n import LANGUAGES, negotiate
from services.console.presentation.rendering import Reader
from services.console.web.context import ConsoleContext
from services.console.web.pages import LANGUAGE_COOKIE, THEME_COOKIE, THEMES, Page

_log = structlog.get_logger(__name__)

Access = Literal["public", "viewer", "operator"]
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
_H = TypeVar("_H", bound=Callable[..., Any])

_PAGE: web.RequestKey["Page"] = web.RequestKey("page", Page)
_AUDITED: web.RequestKey[dict[str, object]] = web.RequestKey("audited", dict)
_ACCESS = "console_access"
_READING = frozenset({hdrs.METH_GET, hdrs.METH_HEAD})


def access(level: Access) -> Callable[[_H], _H]:
    """Mark a handler's access where it is not the usual: viewers read (GET), operators act (POST)."""

    def mark(handler: _H) -> _H:
        setattr(handler, _ACCESS, level)
        return handler

    return mark


def page_of(request: web.Request) -> Page:
    """The page that a request asks for."""
    return request[_PAGE]


def audit(request: web.Request, /, **about: object) -> None:
    """Add to the line that is logged for this action; never a secret."""
    request[_AUDITED].update(about)


class Guard:
    """The middleware of a console."""

    def __init__(self, context: ConsoleContext) -> None:
        """All checks use this console's sessions and origins."""
        self._context = context

    @web.middleware
    async def handle(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Check, answer, and log what was done."""
        request[_AUDITED] = {}
        page = request[_PAGE] = self._page(request)
        _require_text(request)
        if not self._context.origins.knows(_host(request)):
            raise web.HTTPMisdirectedRequest
        if request.method in _READING:
            self._require(page, _level(request, "viewer"))
            return await handler(request)
        try:
            if not self._context.origins.own(request.headers):
                raise web.HTTPForbidden(text="origin")
            self._require(page, _level(request, "operator"))
            await _require_token(page)
            response = await handler(request)
        except web.HTTPException as refused:
            self._note(request, page, refused.status)
            raise
        self._note(request, page, response.status)
        return response

    def _page(self, request: web.Request) -> Page:
        context = self._context
        token = request.cookies.get(context.cookie)
        session = (
            None if token is None else context.sessions.of(token, used=not request.path.startswith("/live/"))
        )
        reader = Reader(
            templates=context.templates,
            party=context.party,
            language=_language(request),
            operates=session is not None and session.role == "operator",
        )
        theme = request.cookies.get(THEME_COOKIE, "auto")
        return Page(request, context, session, reader, theme if theme in THEMES else "auto")

    def _require(self, page: Page, level: Access) -> None:
        if level == "public":
            return
        if page.session is None:
            raise SignInFirst(page.request)
        if level == "operator" and page.session.role != "operator":
            raise web.HTTPForbidden(text="operator")

    def _note(self, request: web.Request, page: Page, status: int) -> None:
        """One line for each action; looking something up while a form is filled in is none."""
        about = request[_AUDITED]
        if about.pop("quiet", False) and status < 400:
            return
        _log.info(
            "console_action",
            action=request.path,
            status=status,
            account=None if page.session is None else page.session.account,
            address=page.address,
            role=self._context.party.role,
            party=self._context.party.address,
            **about,
        )


class SignInFirst(web.HTTPException):
    """Sends a browser to the sign-in page; a script is told so with 401."""

    status_code = 303

    def __init__(self, request: web.Request) -> None:
        """The page asked for is shown after signing in."""
        place = "/sign-in"
        if request.method in _READING and request.path != "/":
            place += f"?next={quote(request.rel_url.raw_path_qs, safe='/')}"
        if "HX-Request" in request.headers:
            self.status_code = 401
            super().__init__(headers={"HX-Redirect": place})
        else:
            super().__init__(headers={hdrs.LOCATION: place})


def _level(request: web.Request, usual: Access) -> Access:
    handler = request.match_info.handler
    level: Access = getattr(handler, _ACCESS, usual)
    return level


def _require_text(request: web.Request) -> None:
    """What an address says goes into databases and logs, which take Unicode without NUL alone."""
    decoded = f"{request.path}?{request.query_string}"
    if "\0" in decoded or _is_broken(decoded):
        raise web.HTTPBadRequest


def _is_broken(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False


def _host(request: web.Request) -> str:
    """The Host header; without one the library would look this machine's name up, and all would wait."""
    hosts = request.headers.getall(hdrs.HOST, [])
    if len(hosts) != 1 or host_name(hosts[0]) is None:
        raise web.HTTPBadRequest
    return hosts[0]


async def _require_token(page: Page) -> None:
    """A form of ours carries the session's token; before signing in there is none, and the origin counts."""
    if page.session is None:
        return
    given = page.request.headers.get(CSRF_HEADER)
    if given is None:
        given = (await page.sent()).texts.get(CSRF_FIELD, "")
    if not unmasks_to(given, page.session.csrf):
        raise web.HTTPForbidden(text="token")


def _language(request: web.Request) -> str:
    chosen = request.cookies.get(LANGUAGE_COOKIE)
    if chosen in LANGUAGES:
        return chosen
    return negotiate(request.headers.get(hdrs.ACCEPT_LANGUAGE, ""))
