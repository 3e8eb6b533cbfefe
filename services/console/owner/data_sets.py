"""The catalogue: upload, look, remove. Rows are shown once, to who uploaded them, and kept nowhere."""

from collections.abc import Mapping
from typing import Any

from aiohttp import web

from services.common.errors import DataSetError
from services.console.owner.account_views import in_use
from services.console.owner.uploads import Upload, received
from services.console.party import Party
from services.console.presentation.i18n import gettext_noop as _
from services.console.presentation.rendering import Reader
from services.console.web.access import audit, page_of
from services.console.web.pages import Page
from services.console.web.section import Fragments
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
    return {"data_sets": catalogue.list(), "strays": catalogue.strays(), "counts": counts_of(party.store)}


async def show(request: web.Request) -> web.StreamResponse:
    """One data set: its columns and ranges."""
    page = page_of(request)
    try:
        entry = page.party.owner.catalogue.entry(request.match_info["name"])
    except DataSetError:
        raise web.HTTPNotFound from None
    return page.render("owner/data_set.html", data_set=entry, counts=counts_of(page.store))


async def upload(request: web.Request) -> web.StreamResponse:
    """Read a file, show what is in it, and add it unless it is only to be checked.

    Answers a script with the result alone; without scripts, with a page.
    """
    page = page_of(request)
    try:
        async with received(request, page.party.owner) as incoming:
            audit(request, data_set=incoming.data_set)
            contents, added = await _read(page, incoming)
    except DataSetError as error:
        audit(request, refused=True)
        return _answer(page, problem=str(error))
    return _answer(page, contents=contents, added=added, upload=incoming)


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


async def _read(page: Page, incoming: Upload) -> tuple[Found, bool]:
    """(what is in the file, whether it was added)."""
    owner = page.party.owner
    catalogue = owner.catalogue
    adds, replaces = incoming.fields.get("action") != "check", incoming.fields.get("replace") == "yes"
    if adds and not replaces:
        catalogue.require_free(incoming.data_set)  # before a long file is read
    if adds and in_use(page.party, incoming.data_set):
        raise DataSetError(f"a training under way needs {incoming.data_set!r}; choose another name, or wait")
    async with owner.reading:
        contents = await owner.read_upload(incoming.path, incoming.columns, incoming.file_name)
    if adds:
        catalogue.add(
            incoming.data_set, contents.statistic, f"upload: {incoming.file_name}", replace=replaces
        )
        page.context.hub.wake()
    return contents, adds


def _answer(page: Page, *, problem: str = "", **outcome: Any) -> web.Response:
    """The problem, or else the upload, the contents of its file and whether they were added."""
    alone = "HX-Request" in page.request.headers
    template = "owner/_uploaded.html" if alone else "owner/uploaded.html"
    return page.render(template, status=422 if problem and not alone else 200, problem=problem, **outcome)
