"""Error pages: what happened, and what to do about it, in the reader's language."""

import traceback

import structlog
from aiohttp import web

from protocol.errors import DeltaMLError
from services.bus.port import BusError
from services.chain.errors import ChainError
from services.console.presentation.i18n import gettext_noop as _
from services.console.presentation.labels import refusal_text
from services.console.web.access import Handler, SignInFirst, page_of
from services.console.web.orders import OrderRefused

_log = structlog.get_logger(__name__)

_TEXTS = {
    400: (_("This request could not be understood"), _("Go back, reload the page and try again.")),
    403: (
        _("You are not allowed to do this"),
        _(
            "Your account can only view. Ask the console's operator to do it, or to give you an operator "
            "account."
        ),
    ),
    404: (
        _("There is no such page"),
        _("It may have moved. Everything can be reached from the list of trainings."),
    ),
    405: (_("This page does not accept that kind of request"), _("Go back, reload the page and try again.")),
    408: (_("The form took too long to arrive"), _("Nothing was changed: send it again.")),
    409: (_("That is no longer possible"), _("The training has moved on in the meantime: look at its page.")),
    413: (_("That is too large"), _("Send a smaller file.")),
    415: (
        _("This form cannot be read"),
        _("Send it as application/x-www-form-urlencoded or multipart/form-data, in UTF-8, uncompressed."),
    ),
    421: (
        _("This console does not answer at that address"),
        _("Open it at the address in its configuration (console.public_url), or at the host it listens on."),
    ),
    429: (
        _("Too many pages of this account or address are open"),
        _("Close some of them, and load this one again."),
    ),
    500: (_("Something went wrong"), _("Nothing was changed. The daemon's log says what happened.")),
    503: (_("The daemon is busy or cannot reach its broker"), _("Nothing was sent. Try again in a moment.")),
}
_FORGED = (
    _("This form has expired"),
    _("It belongs to another session. Nothing was changed: reload the page and send it again."),
)
_FOREIGN = (
    _("This form came from another address than this console's"),
    _(
        "Nothing was changed. Open the console at the address in its configuration; behind a proxy that is "
        "console.public_url, exactly as the browser shows it."
    ),
)
_REFUSED = {"token": _FORGED, "origin": _FOREIGN}


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
        texts = _REFUSED.get(error.text or "") or _TEXTS.get(error.status, _TEXTS[400])
        return page_of(request).problem(error.status, *texts)
    except DeltaMLError as error:
        return _failed(request, error)
    except (ConnectionResetError, TimeoutError):
        raise
    except Exception as error:  # noqa: BLE001
        # Its text and its frames may hold what people typed.
        place = traceback.extract_tb(error.__traceback__)[-1]
        where = f"{place.filename}:{place.lineno}"
        _log.error("console_failed", action=request.path, error=type(error).__name__, place=where)
        return page_of(request).problem(500, *_TEXTS[500])


def _failed(request: web.Request, error: DeltaMLError) -> web.Response:
    """An error of ours, told to who may know it."""
    page = page_of(request)
    if isinstance(error, OrderRefused):
        reason = refusal_text(error.code, page.reader.gettext)
        return page.problem(409, _("The daemon did not take the order"), reason)
    _log.warning("console_action_failed", action=request.path, reason=str(error))
    if isinstance(error, BusError | ChainError):
        return page.problem(503, *_TEXTS[503])
    if page.session is None:  # it names files
        return page.problem(500, *_TEXTS[500])
    return page.problem(400, _TEXTS[400][0], str(error))
