"""A data set's card, changed on a page by the rules of `deltaml datasets card set`."""

from collections.abc import Mapping

from aiohttp import web

from protocol.errors import MisuseError
from services.common.errors import DataSetError, RevealingColumns
from services.console.owner.card_form import COLUMNS_AT_ONCE, columns_of, form_of, input_of, read
from services.console.owner.card_views import CardView, card_views
from services.console.presentation.i18n import gettext_noop as _
from services.console.presentation.parse import whole_number
from services.console.presentation.problem import Problem
from services.console.web.access import access, audit, page_of
from services.console.web.pages import Page, or_not_found

_CHANGED = _("The card has changed since this page was loaded. Look at it again, and change it then.")
_REVEALING = _(
    "Most words of %(columns)s describe single rows, as names and notes do, and buyers would read every "
    "word. Tick below that everybody may read them, keep the card unlisted, or add the data set again "
    "without them."
)


@access("operator")
async def show(request: web.Request) -> web.StreamResponse:
    """The form of a card, a page of its columns at a time."""
    page = page_of(request)
    view = _view(page)
    place = min(whole_number(request.query.get("page", "0"), 10**6) or 0, _pages(view) - 1)
    return _form(page, view, form_of(view.card, place), place)


async def change(request: web.Request) -> web.StreamResponse:
    """Give the data set the card that the form describes."""
    page = page_of(request)
    form = await page.form()
    view = _view(page)
    place = min(whole_number(form.get("page", "0"), 10**6) or 0, _pages(view) - 1)
    card = view.card
    audit(request, data_set=card.name)
    if form.get("hash") != card.hash().hex():
        changed = page.reader.gettext(_CHANGED)
        return _form(page, view, form_of(card, place), place, problem=changed, status=409)
    wanted = read(form, card)
    typed = {**form_of(card, place), **form}
    if wanted.problems:
        return _form(page, view, typed, place, problems=wanted.problems, status=422)
    try:
        page.party.owner.catalogue.set_card(wanted.applied(card), wanted.chosen, wanted.published)
    except RevealingColumns as error:
        names = ", ".join(error.columns)
        problem = page.reader.gettext(_REVEALING) % {"columns": names}
        return _form(page, view, typed, place, problem=problem, status=422)
    except (MisuseError, DataSetError) as error:
        return _form(page, view, typed, place, problem=str(error), status=422)
    page.context.hub.wake()
    return page.redirect(f"/data-sets/{card.name}?changed=1")


def _view(page: Page) -> CardView:
    return or_not_found(card_views(page.party.owner.catalogue).get(page.request.match_info["name"]))


def _pages(view: CardView) -> int:
    return -(-len(view.card.columns) // COLUMNS_AT_ONCE)


def _form(
    page: Page,
    view: CardView,
    values: Mapping[str, str],
    place: int,
    *,
    problem: str = "",
    problems: Mapping[str, Problem] | None = None,
    status: int = 200,
) -> web.Response:
    return page.render(
        "owner/card.html",
        status=status,
        view=view,
        values=values,
        columns=list(columns_of(view.card, place)),
        input_of=input_of,
        place=place,
        pages=_pages(view),
        problem=problem,
        problems=problems or {},
    )
