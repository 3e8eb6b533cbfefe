"""Error pages: what happened, and what to do about it, in the reader's language."""

import traceback

import structlog
from aiohttp import web

from protocol.errors import DeltaMLError
from services.bus.port import BusError
from services.chain.errors import ChainError
from services.console.presentation.i18n import gettext_noop as _
from services.console.web.access import Handler, SignInFirst, page_of

_log = structlog.get_logger(__name__)

_TEXTS = {
    400: (_("This request cannot be understood"), _("Go back, reload the page and try again.")),
    403: (
        _("You may not do this"),
        _("Your account can only look. Ask the console's operator to do it, or for an operator's account."),
    ),
    404: (_("There is no such page"), _("It may have moved. The list of trainings has everything there is.")),
    405: (_("This page does not take that"), _("Go back, reload the page and try again.")),
    409: (_("That is not possible any more"), _("The training has gone on meanwhile: look at its page.")),
    413: (_("That is too large"), _("Send a smaller file.")),
    421: (
        _("This console is not known by that address"),
        _("Open it by the address in its configuration (console.public_url), or by the host it listens on."),
    ),
    500: (_("Something went wrong here"), _("Nothing was changed. The daemon's log says what happened.")),
    503: (_("The daemon is busy or cannot reach its broker"), _("Nothing was sent. Try again in a moment.")),
}
_FORGED = (
    _("This form is too old"),
    _("It belongs to another session. Nothing was changed: reload the page and send it again."),
)


@web.middleware
async def error_pages(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn whatever a handler raises into a page."""
    try:
        return await handler(request)
    except SignInFirst:
        raise
    except web.HTTPException as error:
        if error.status < 400:
            raise
        texts = _FORGED if error.text in ("token", "origin") else _TEXTS.get(error.status, _TEXTS[400])
        return _shown(request, error.status, texts)
    except (BusError, ChainError) as error:
        _log.warning("console_action_failed", action=request.path, reason=str(error))
        return _shown(request, 503, _TEXTS[503])
    except DeltaMLError as error:
        _log.warning("console_action_failed", action=request.path, reason=str(error))
        if page_of(request).session is None:  # it names files
            return _shown(request, 500, _TEXTS[500])
        return _shown(request, 400, (_TEXTS[400][0], str(error)))
    except (ConnectionResetError, TimeoutError):
        raise
    except Exception as error:  # noqa: BLE001
        # Its text and its frames may hold what people typed.
        place = traceback.extract_tb(error.__traceback__)[-1]
        where = f"{place.filename}:{place.lineno}"
        _log.error("console_failed", action=request.path, error=type(error).__name__, place=where)
        return _shown(request, 500, _TEXTS[500])


def _shown(request: web.Request, status: int, texts: tuple[str, str]) -> web.Response:
    page = page_of(request)
    title, advice = (page.reader.gettext(text) for text in texts)
    template = "problem.html" if "HX-Request" in request.headers else "error.html"
    return page.render(template, status=status, title=title, advice=advice)
