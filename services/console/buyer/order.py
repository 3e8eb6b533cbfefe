"""Ordering a training: the form, checked as it is typed, and the confirmation."""

import asyncio
import re
from collections.abc import Callable, Mapping
from typing import Any

from aiohttp import web

from protocol.errors import MisuseError
from protocol.messages import TrainingOrder
from protocol.request import Request
from protocol.request_parsing import as_tuples
from protocol.terms import NATIVE
from services.chain.errors import ChainError
from services.common.documents import parse_yaml, request_fields
from services.common.errors import ConfigurationError
from services.console.buyer.offers import known_aggregators, reach
from services.console.buyer.order_columns import (
    COLUMN_PARTS,
    MOST_COLUMNS,
    column_count,
    with_column,
    without_column,
)
from services.console.buyer.order_fields import FIELDS
from services.console.buyer.order_form import (
    Checked,
    canonical_yaml,
    check,
    check_document,
    completed,
    every_input,
    fresh,
    request_from,
    shares_total,
    values_of,
)
from services.console.buyer.views import Training
from services.console.presentation.labels import MODEL_KINDS
from services.console.presentation.parse import whole_number
from services.console.presentation.problem import Problem
from services.console.web.access import access, audit, page_of
from services.console.web.forms import LARGE
from services.console.web.orders import give
from services.console.web.pages import Page, or_not_found
from services.data.beyond_budget import beyond_budget
from services.data.few_rows import few_rows
from services.data.inference_answers import inference_answers
from services.data.request_suggestion import Choices
from services.records.refusal_texts import REFUSALS

_LARGEST_SAMPLE = 64 << 20
"""Bytes: a browser reads it whole."""

_TAKEN = REFUSALS["ordered_already"]


@access("operator")
async def show(request: web.Request) -> web.StreamResponse:
    """An empty form, or one filled with an earlier request."""
    page = page_of(request)
    key = request.query.get("from")
    values = fresh()
    if key is not None:
        training = or_not_found(Training.find(page.party, key))
        values = values_of(training.state.request.model_dump(mode="json"))
        values["name"] = _next_name(page, values["name"])
    return _form(page, values)


async def change(request: web.Request) -> web.StreamResponse:
    """The same form with a column more or less, or the inputs of another start."""
    page = page_of(request)
    values = await page.form()
    audit(request, quiet=True)
    action, _colon, place = values.pop("change", "").partition(":")
    if action == "add":
        values = with_column(values)
    elif action == "remove" and (column := whole_number(place, MOST_COLUMNS)) is not None:
        values = without_column(values, column)
    return _form(page, values)


async def checked(request: web.Request) -> web.StreamResponse:
    """What is wrong with the form so far, or what would be ordered."""
    page = page_of(request)
    values = await page.form()
    audit(request, quiet=True)
    result = _orderable(page, check(values))
    # Nobody wants to hear of every input that is still to come; the review tells of them.
    visible = {name: problem for name, problem in result.problems.items() if values.get(name, "·").strip()}
    values_shown = {**_form_values(values, result), **await _money(page, result.request)}
    values_shown |= reach(page, result.request)
    return page.html(page.reader.fragment("buyer/_check.html", visible_problems=visible, **values_shown))


async def from_yaml(request: web.Request) -> web.StreamResponse:
    """The form filled from YAML, pasted or uploaded."""
    page = page_of(request)
    sent = await page.sent()
    audit(request, quiet=True)
    upload = sent.files.get("file")
    content = (b"" if upload is None else upload.content) or sent.texts.get("yaml", "").encode()
    try:
        # Seconds of computing for the longest: one at a time, and not in the daemon's loop.
        async with page.context.reading_yaml:
            document, result = await asyncio.to_thread(_read, content)
    except ConfigurationError as error:
        return _form(page, fresh(), yaml_problem=str(error), status=422)
    if result is None:
        values = completed(document)
        return _form(page, values, check(values).problems)
    # More columns than the form shows: confirm the document itself.
    result = _orderable(page, result)
    if result.request is not None:
        return await _confirm(page, result.request)
    problem = next(iter(result.problems.values()))
    text = page.reader.gettext(problem.text) % problem.values
    return _form(page, fresh(), yaml_problem=text, status=422)


def _read(content: bytes) -> tuple[dict[str, Any], Checked | None]:
    """(the document, what is wrong with it if it has more columns than the form shows)."""
    if len(content) > LARGE.field:
        raise ConfigurationError(f"YAML is longer than {LARGE.field} bytes; order it with deltaml train")
    try:
        document = request_fields(parse_yaml(content, "YAML"))
    except MisuseError as error:
        raise ConfigurationError(str(error)) from None
    features = document.get("features")
    if isinstance(features, list) and len(features) > MOST_COLUMNS:
        return document, check_document(as_tuples(document))
    return document, None


async def review(request: web.Request) -> web.StreamResponse:
    """What will be ordered, to be confirmed; or the form with its problems."""
    page = page_of(request)
    values = await page.form()
    audit(request, quiet=True)
    result = _orderable(page, check(values))
    if result.request is None:
        return _form(page, values, result.problems, status=422)
    return await _confirm(page, result.request)


async def order(request: web.Request) -> web.StreamResponse:
    """Send the order to the daemon."""
    page = page_of(request)
    wanted = request_from((await page.form()).get("request", ""))
    for problem in _orderable(page, Checked(request=wanted)).problems.values():
        raise MisuseError(page.reader.gettext(problem.text) % problem.values)
    audit(request, request=wanted.name, request_hash=f"0x{wanted.hash().hex()}")
    await give(page, TrainingOrder(request=wanted))
    return page.redirect("/trainings?ordered=1")


def _form(
    page: Page,
    values: Mapping[str, str],
    problems: Mapping[str, Problem] | None = None,
    *,
    yaml_problem: str | None = None,
    status: int = 200,
) -> web.Response:
    shown = _form_values(values, Checked(problems=dict(problems or {})))
    return page.render(
        "buyer/order.html",
        status=status,
        yaml_problem=yaml_problem,
        sample_defaults=_sample_defaults(),
        most_columns=MOST_COLUMNS,
        largest_sample=_LARGEST_SAMPLE,
        aggregators=known_aggregators(page),
        model_kinds=tuple(MODEL_KINDS),
        **shown,
    )


def _sample_defaults() -> dict[str, str]:
    """The inputs that are not of the sample itself in a form filled from one: those of a suggestion."""
    values, choices = fresh(), Choices("", "")
    schedule = ("rounds", "method", "rho", "local_steps", "step_size", "tolerance", "deliver")
    names = ("scale", *schedule, "l2", "intercept")
    return {name: values[name] for name in names} | {
        "owners-minimum": str(choices.least_owners),
        "owners-maximum": str(choices.most_owners),
    }


def _form_values(values: Mapping[str, str], result: Checked) -> dict[str, Any]:
    return {
        "values": every_input(values),
        "columns": column_count(values),
        "problems": result.problems,
        "request": result.request,
        **_warnings(result.request),
        "yaml": None if result.request is None else canonical_yaml(result.request),
        "total": shares_total(values),
        "input_names": _input_names(values),
    }


def _input_names(values: Mapping[str, str]) -> list[str]:
    """Of every place in the form that may show a problem."""
    columns = [f"feature-{index}-{part}" for index in range(column_count(values)) for part in COLUMN_PARTS]
    by_start = {"mean": ["start_value"], "means": ["start_values"], "weights": ["start_weights"]}
    plain = [field.name for field in FIELDS if field.kind != "yes"]
    return [
        "",
        "shares",
        "start",
        "target-rules",
        "targets",
        "basis",
        *plain,
        *columns,
        *by_start.get(values.get("start", ""), []),
    ]


async def _confirm(page: Page, wanted: Request) -> web.Response:
    return page.render(
        "buyer/confirm.html",
        request=wanted,
        **_warnings(wanted),
        yaml=canonical_yaml(wanted),
        document=wanted.model_dump_json(),
        **await _money(page, wanted),
        **reach(page, wanted),
    )


def _warnings(wanted: Request | None) -> dict[str, Any]:
    """What to think over before the order, as `deltaml request check` tells it; None for nothing."""
    checks: Mapping[str, Callable[[Request], object | None]] = {
        "few_rows": few_rows,
        "beyond_budget": beyond_budget,
        "inference_answers": inference_answers,
    }
    return {name: None if wanted is None else check(wanted) for name, check in checks.items()}


async def _money(page: Page, wanted: Request | None) -> dict[str, Any]:
    """Balance, and what is missing for the deposit; None where the node does not answer."""
    token = NATIVE if wanted is None else wanted.payment.token
    nothing = {"balance": None, "missing": None, "paid_in": page.party.assets.of(token)}
    if wanted is None:
        return nothing
    try:
        balance = await page.party.balance(token)
    except ChainError:
        return nothing
    return {**nothing, "balance": balance, "missing": max(0, wanted.payment.buyer_pays - balance)}


def _orderable(page: Page, result: Checked) -> Checked:
    """The same where its request can be ordered here and now, or why it cannot."""
    if result.request is not None and _is_taken(page, result.request):
        return Checked(problems={"name": Problem(_TAKEN)})
    return result


def _ordered(page: Page) -> list[Request]:
    return [Training(page.party, row).state.request for row in page.store.instances()]


def _is_taken(page: Page, wanted: Request) -> bool:
    """Trainings are told apart by their request's hash; the daemon would refuse a second one."""
    return wanted in _ordered(page)


def _next_name(page: Page, name: str) -> str:
    """The first of "name (2)", "name (3)" ... that no training has."""
    taken = {request.name for request in _ordered(page)}
    numbered = re.fullmatch(r"(.*) \((\d{1,6})\)", name)
    stem, first = (numbered[1], int(numbered[2]) + 1) if numbered else (name, 2)
    names = (f"{stem[:90]} ({number})" for number in range(first, first + len(taken) + 1))
    return next(candidate for candidate in names if candidate not in taken)
