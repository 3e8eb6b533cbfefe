"""The catalogue: upload, look, remove. Rows are shown once, to who uploaded them, and kept nowhere."""

from collections.abc import Mapping
from typing import Any

from aiohttp import web

from protocol.data_card import DataCard
from protocol.data_set import text_columns
from protocol.errors import MisuseError
from services.common.errors import DataSetError
from services.console.owner.account_views import in_use
from services.console.owner.card_views import card_views
from services.console.owner.uploads import Upload, received
from services.console.party import Party
from services.console.presentation.i18n import gettext_noop as _
from services.console.presentation.rendering import Reader
from services.console.web.access import audit, page_of
from services.console.web.pages import Page, or_not_found
from services.console.web.section import Fragments
from services.data.catalog import Catalog
from services.data.sandboxed_reader import Found
from services.records.owner_account import counts_of


async def show_all(request: web.Request) -> web.StreamResponse:
    """All data sets, and the form for another."""
    page = page_of(request)
    return page.render("owner/data_sets.html", **_listing(page.party))


def live_all(reader: Reader) -> Fragments:
    """The list as it is now."""
    return {"list": reader.fragment("owner/_data_sets.html", **_listing(reader.party))}


def _listing(party: Party) -> Mapping[str, Any]:
    catalogue = party.owner.catalogue
    return {
        "data_sets": catalogue.list(),
        "views": card_views(catalogue),
        "strays": catalogue.strays(),
        "counts": counts_of(party.store),
    }


async def show(request: web.Request) -> web.StreamResponse:
    """One data set: its card as buyers see it, and what only its owner sees."""
    page = page_of(request)
    name = request.match_info["name"]
    view = or_not_found(card_views(page.party.owner.catalogue).get(name))
    entry = page.party.owner.catalogue.entry(name)
    return page.render("owner/data_set.html", data_set=entry, view=view, counts=counts_of(page.store))


async def upload(request: web.Request) -> web.StreamResponse:
    """Read a file, show what is in it, and add it unless it is only to be checked.

    Answers a script with the result alone; without scripts, with a page.
    """
    page = page_of(request)
    try:
        async with received(request, page.party.owner) as incoming:
            audit(request, data_set=incoming.data_set)
            outcome = await _read(page, incoming)
    except (DataSetError, MisuseError) as error:
        audit(request, refused=True)
        return _answer(page, problem=str(error))
    return _answer(page, upload=incoming, **outcome)


async def remove(request: web.Request) -> web.StreamResponse:
    """Forget a data set that no training under way needs."""
    page = page_of(request)
    name = request.match_info["name"]
    if in_use(page.party, name):
        return page.problem(409, _("A training under way needs this data set"), _("Remove it afterwards."))
    try:
        page.party.owner.catalogue.remove(name)
    except DataSetError:
        raise web.HTTPNotFound from None
    audit(request, data_set=name)
    page.context.hub.wake()
    return page.redirect("/data-sets")


async def _read(page: Page, incoming: Upload) -> dict[str, Any]:
    """What is in the file, whether it was added, and the card that it has, or would have."""
    owner, name = page.party.owner, incoming.data_set
    catalogue, read_as = owner.catalogue, incoming.read_as
    adds, replaces = incoming.fields.get("action") != "check", incoming.fields.get("replace") == "yes"
    if adds and not replaces:
        catalogue.require_free(name)  # before a long file is read
    if adds and in_use(page.party, name):
        raise DataSetError(f"a training under way needs {name!r}; choose another name, or wait")
    async with owner.reading:
        contents = await owner.read_upload(incoming.path, read_as, incoming.file_name)
    card = _card(owner.catalogue, incoming, contents)
    if adds:
        source, declared = f"upload: {incoming.file_name}", incoming.declared_columns
        catalogue.add(name, contents.statistic, source, card=card, declared=declared, replace=replaces)
        page.context.hub.wake()
    return {
        "contents": contents,
        "added": adds,
        "view": card_views(catalogue, card)[card.name],
        "texts": text_columns(contents.statistic),
    }


def _card(catalogue: Catalog, incoming: Upload, contents: Found) -> DataCard:
    statistic = contents.statistic
    fresh = catalogue.card_for(incoming.data_set, statistic)
    return incoming.declared.applied(fresh, text_columns(statistic))


def _answer(page: Page, *, problem: str = "", **outcome: Any) -> web.Response:
    """The problem, or else the upload, the contents of its file, its card and whether they were added."""
    alone = "HX-Request" in page.request.headers
    template = "owner/_uploaded.html" if alone else "owner/uploaded.html"
    return page.render(template, status=422 if problem and not alone else 200, problem=problem, **outcome)
