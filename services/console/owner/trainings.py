"""An owner's trainings: the list, one of them, and the decision about it."""

from aiohttp import web

from protocol.messages import OwnerDecision
from services.console.owner.views import Training, training_of, trainings
from services.console.presentation.i18n import gettext_noop as _
from services.console.presentation.rendering import Reader
from services.console.presentation.training_record import LISTED
from services.console.web.access import audit, page_of
from services.console.web.orders import give
from services.console.web.pages import Page, or_not_found
from services.console.web.trainings import TrainingPages, Values


async def accept(request: web.Request) -> web.StreamResponse:
    """Have the daemon join with the chosen data set; beyond its budget only where that was ticked."""
    page = page_of(request)
    training, form = _undecided(page), await page.form()
    chosen = form.get("data_set", "")
    match = next((match for match in training.serving if match.data_set == chosen), None)
    if match is None:
        raise web.HTTPConflict
    beyond = form.get("beyond_budget") == "yes"
    if match.standing.is_exhausted and not beyond:
        return page.problem(
            422,
            _("The budget of this data set does not reach"),
            _("Nothing was sent. Tick the box to join all the same, or raise the budget."),
        )
    number = training.state.training
    audit(request, training=number, data_set=chosen, beyond_budget=beyond)
    decision = OwnerDecision(training=number, accept=True, data_set=chosen, beyond_budget=beyond)
    await give(page, decision, number)
    return page.redirect(f"/trainings/{training.row.key}?sent=accept")


async def decline(request: web.Request) -> web.StreamResponse:
    """Have the daemon decline."""
    page = page_of(request)
    training = _undecided(page)
    number = training.state.training
    audit(request, training=number)
    await give(page, OwnerDecision(training=number, accept=False), number)
    return page.redirect(f"/trainings/{training.row.key}?sent=decline")


def _undecided(page: Page) -> Training:
    """A training that waits for a decision; 409 for one that does not any more."""
    training = or_not_found(training_of(page.party, page.request.match_info["key"]))
    if not training.asks:
        raise web.HTTPConflict
    return training


def _listing(reader: Reader, _number: int) -> Values:
    """One page: all that ask for a decision, and the newest of the others."""
    rows = trainings(reader.party)
    more = sum(not row.asks for row in rows) >= LISTED
    return {"trainings": rows, "more": more, "refusals": reader.party.owner.refusals()}


PAGES = TrainingPages(
    "owner",
    _listing,
    training_of,
    own_parts=("status", "figures", "decision"),
    shared_parts=("expected", "curve", "checks", "transactions", "timeline"),
)
