"""Signing in and out, and what a reader prefers: language and theme."""

from urllib.parse import urlsplit

import structlog
from aiohttp import web

from services.console.auth.guessing import Attempt
from services.console.auth.password_check import TooBusyError
from services.console.presentation.i18n import LANGUAGES
from services.console.web.access import access, audit, page_of
from services.console.web.pages import LANGUAGE_COOKIE, THEME_COOKIE, THEMES, Page

_log = structlog.get_logger(__name__)

_YEAR = 365 * 24 * 3600
_BUSY_SECONDS = 2.0


@access("public")
async def show(request: web.Request) -> web.StreamResponse:
    """The form, or the first page for those who are signed in."""
    page = page_of(request)
    target = local_path(request.query.get("next", ""), page.context.section.home)
    if page.session is not None:
        return page.redirect(target)
    return page.render("sign_in.html", next=target, name="", problem=None)


@access("public")
async def submit(request: web.Request) -> web.StreamResponse:
    """Check name and password, as slowly for a name that nobody has, and start a fresh session."""
    page = page_of(request)
    form = await page.form()
    name, password = form.get("name", "").strip().lower()[:64], form.get("password", "")
    target = local_path(form.get("next", ""), page.context.section.home)
    audit(request, tried=name)
    context = page.context
    device = context.devices.mark(request.cookies.get(context.device_cookie, ""), name)
    attempt = Attempt(name, page.address, device)
    wait = context.guesses.begin(attempt)
    if wait > 0:
        return _later(page, name, target, wait)
    try:
        account = await context.passwords.verify(name, password, known=device is not None)
    except TooBusyError:
        context.guesses.take_back(attempt)
        return _later(page, name, target, _BUSY_SECONDS)
    if account is None:
        return _again(page, name, target, "wrong", 401)
    context.guesses.succeeded(attempt)
    return _signed_in(page, name, target)


def _later(page: Page, name: str, target: str, wait: float) -> web.Response:
    response = _again(page, name, target, "too_many", 429, wait)
    response.headers["Retry-After"] = str(int(wait) + 1)
    return response


def _signed_in(page: Page, name: str, target: str) -> web.Response:
    context = page.context
    _end(page)
    response = page.redirect(target)
    for cookie, value, age in (
        (context.cookie, context.sessions.start(name), None),
        (context.device_cookie, context.devices.cookie(name), _YEAR),
    ):
        response.set_cookie(
            cookie,
            value,
            max_age=age,
            httponly=True,
            secure=context.origins.tls,
            samesite="Strict",
            path="/",
        )
    return response


@access("viewer")
async def leave(request: web.Request) -> web.StreamResponse:
    """Sign out."""
    page = page_of(request)
    _end(page)
    response = page.redirect("/sign-in")
    response.del_cookie(page.context.cookie, path="/")
    return response


@access("public")
async def prefer(request: web.Request) -> web.StreamResponse:
    """Keep the language or the theme that was chosen."""
    page = page_of(request)
    form = await page.form()
    audit(request, quiet=True)
    response = page.redirect(local_path(form.get("next", ""), page.context.section.home))
    for cookie, field, known in (
        (LANGUAGE_COOKIE, "language", tuple(LANGUAGES)),
        (THEME_COOKIE, "theme", THEMES),
    ):
        chosen = form.get(field, "")
        if chosen in known:
            secure = page.context.origins.tls
            response.set_cookie(
                cookie, chosen, max_age=_YEAR, httponly=True, secure=secure, samesite="Lax", path="/"
            )
    return response


def local_path(given: str, otherwise: str) -> str:
    """A path of this console out of a form, never another site's address."""
    try:
        parts = urlsplit(given)
    except ValueError:  # an unclosed bracket where a host would be
        return otherwise
    plain = given.startswith("/") and not given.startswith("//") and "\\" not in given and given.isprintable()
    return given if plain and not parts.scheme and not parts.netloc else otherwise


def _again(page: Page, name: str, target: str, problem: str, status: int, wait: float = 0.0) -> web.Response:
    return page.render(
        "sign_in.html", status=status, next=target, name=name, problem=problem, wait=int(wait) + 1
    )


def _end(page: Page) -> None:
    token = page.request.cookies.get(page.context.cookie)
    if token is not None:
        page.context.sessions.end(token)
