"""The catalogue: upload, look, remove. Rows are shown once, to who uploaded them, and kept nowhere."""

import asyncio

from aiohttp import web

from services.common.errors import DataSetError
from services.console.owner.money_views import data_set, data_sets, in_use
from services.console.owner.uploads import Upload, taken_in
from services.console.presentation.rendering import Reader
from services.console.web.access import audit, page_of
from services.console.web.pages import Page
from services.console.web.section import Fragments
from services.data.sandboxed_reader import Found, read_apart

_one_at_a_time = asyncio.Semaphore(1)
"""Reading takes memory, and the daemon has trainings to see to."""


async def show_all(request: web.Request) -> web.StreamResponse:
    """All data sets, and the form for another."""
    page = page_of(request)
    party = page.party
    return page.render("owner/data_sets.html", data_sets=data_sets(party.store, party.desk))


def live_all(reader: Reader, _argument: str) -> Fragments:
    """The list as it is now."""
    found = data_sets(reader.party.store, reader.party.desk)
    return {"list": reader.fragment("owner/_data_sets.html", data_sets=found)}


async def show(request: web.Request) -> web.StreamResponse:
    """One data set: its columns and ranges."""
    page = page_of(request)
    party = page.party
    try:
        found = data_set(party.store, party.desk, request.match_info["name"])
    except DataSetError:
        raise web.HTTPNotFound from None
    return page.render("owner/data_set.html", data_set=found)


async def upload(request: web.Request) -> web.StreamResponse:
    """Read a file, show what is in it, and add it unless it is only to be checked.

    Answers a script with the result alone; without scripts, with a page.
    """
    page = page_of(request)
    try:
        async with taken_in(request, page.party.desk.catalogue) as taken:
            audit(request, data_set=taken.data_set)
            found, added = await _read(page, taken)
    except DataSetError as error:
        audit(request, refused=True)
        return _answer(page, problem=str(error))
    return _answer(page, found=found, added=added, taken=taken)


async def remove(request: web.Request) -> web.StreamResponse:
    """Forget a data set that no training under way needs."""
    page = page_of(request)
    name = request.match_info["name"]
    if in_use(page.store, name):
        gettext = page.reader.gettext
        title, advice = gettext("A training under way needs this data set"), gettext("Remove it afterwards.")
        return page.render("error.html", status=409, title=title, advice=advice)
    try:
        page.party.desk.catalogue.remove(name)
    except DataSetError:
        raise web.HTTPNotFound from None
    audit(request, data_set=name)
    page.context.hub.wake()
    return page.redirect("/data-sets")


async def _read(page: Page, taken: Upload) -> tuple[Found, bool]:
    """(what is in the file, whether it was added)."""
    catalogue = page.party.desk.catalogue
    adds, replaces = taken.fields.get("action") != "check", taken.fields.get("replace") == "yes"
    if adds and not replaces:
        catalogue.require_free(taken.data_set)  # before a long file is read
    if adds and in_use(page.store, taken.data_set):
        raise DataSetError(f"a training under way needs {taken.data_set!r}; choose another name, or wait")
    async with _one_at_a_time:
        found = await read_apart(taken.path, taken.columns, taken.file_name)
    if adds:
        catalogue.add(taken.data_set, found.statistic, f"upload: {taken.file_name}", replace=replaces)
        page.context.hub.wake()
    return found, adds


def _answer(
    page: Page,
    *,
    problem: str = "",
    found: Found | None = None,
    added: bool = False,
    taken: Upload | None = None,
) -> web.Response:
    alone = "HX-Request" in page.request.headers
    return page.render(
        "owner/_uploaded.html" if alone else "owner/uploaded.html",
        status=422 if problem and not alone else 200,
        problem=problem,
        found=found,
        added=added,
        taken=taken,
    )
