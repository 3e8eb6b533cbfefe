"""The standing policy and the budgets: forms whose outcome is an order to the daemon."""

from collections.abc import Mapping

from aiohttp import web

from protocol.messages import PolicyOrder
from protocol.owner_policy import OwnerPolicy
from services.console.owner.account_views import budget_lines
from services.console.owner.policy_form import form_of, limit_of, read
from services.console.owner.views import policy_in_force
from services.console.presentation.i18n import gettext_noop as _
from services.console.presentation.labels import MODEL_KINDS
from services.console.presentation.problem import Problem
from services.console.web.access import audit, page_of
from services.console.web.orders import give
from services.console.web.pages import Page
from services.records.owner_account import ordered_policy

_NOTES = {
    "saved": _("The daemon was told. The new policy also applies to trainings that await a decision."),
    "reset": _("The daemon was told to return to the policy in its configuration."),
}


async def show(request: web.Request) -> web.StreamResponse:
    """The policy in force and the budgets."""
    page = page_of(request)
    return _page(page, form_of(policy_in_force(page.party)), note=_NOTES.get(request.query.get("done", "")))


async def save(request: web.Request) -> web.StreamResponse:
    """Order the policy that the form describes; the limits of single data sets stay."""
    page = page_of(request)
    form = await page.form()
    policy, problems = read(form, policy_in_force(page.party))
    if policy is None:
        return _page(page, form, problems=problems, status=422)
    return await _order(page, policy)


async def reset(request: web.Request) -> web.StreamResponse:
    """Go by the configuration's policy again."""
    return await _order(page_of(request), None)


async def limit(request: web.Request) -> web.StreamResponse:
    """Set or take away a limit of one data set, for one buyer or all together."""
    page = page_of(request)
    form = await page.form()
    policy = policy_in_force(page.party)
    budget, problems = limit_of(form, policy.budget)
    if budget is None:
        return _page(page, form_of(policy), limits=form, problems=problems, status=422)
    audit(request, data_set=form["data_set"])
    return await _order(page, OwnerPolicy.model_validate({**dict(policy), "budget": budget}))


async def _order(page: Page, policy: OwnerPolicy | None) -> web.StreamResponse:
    await give(page, PolicyOrder(policy=policy))
    return page.redirect(f"/policy?done={'reset' if policy is None else 'saved'}")


def _page(
    page: Page,
    form: Mapping[str, str],
    *,
    note: str | None = None,
    limits: Mapping[str, str] | None = None,
    problems: Mapping[str, Problem] | None = None,
    status: int = 200,
) -> web.Response:
    party = page.party
    return page.render(
        "owner/policy.html",
        status=status,
        form=form,
        note=note,
        limits=limits or {},
        problems=problems or {},
        budget_lines=budget_lines(party),
        names=[entry.name for entry in party.owner.catalogue.list()],
        ordered=ordered_policy(party.store) is not None,
        form_kinds=list(filter(None, dict.fromkeys((*MODEL_KINDS, form.get("model_kinds", ""))))),
    )
