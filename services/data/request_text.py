"""A suggested request as a person reads it: YAML with a comment for each choice."""

import json

from protocol.asset import MARKET_ASSET
from protocol.links import FITTED
from protocol.payment import least_deposit
from protocol.request import Request
from protocol.request_schedule import Schedule
from protocol.request_sections import DEFAULT_KIND, ModelKind, StartMean, StartMeans
from services.data.column_suggestion import column_text, quoted
from services.data.few_rows import ROWS_PER_FEATURE
from services.data.request_suggestion import NOBODY, USUAL_ROWS, Suggestion

_INFERENCE = "inference: true # Standard errors; owners' budgets count what is opened for them."


def as_text(suggestion: Suggestion, sample: str) -> str:
    """YAML with a comment for each choice; `load_request` reads it back as the same request."""
    request = suggestion.request
    left_out = [_comment(f"Left out: {reason}.") for reason in suggestion.left_out.values()]
    reasons = suggestion.reasons
    features = [f"  - {column_text(one)} # {_plain_text(reasons[one.name])}" for one in request.features]
    schedule, payment = request.schedule, request.payment
    deposit = MARKET_ASSET.shown(payment.deposit_wei)
    least = MARKET_ASSET.exact(least_deposit(request))
    nobody = " Put the one you work with here." if request.aggregator == NOBODY else ""
    lines = [
        _comment(
            f"For data like {sample} ({suggestion.rows} rows). Every owner that is asked reads all of this."
        ),
        "",
        f"name: {quoted(request.name)}",
        *_kind_lines(request),
        "",
        "# The sample's ranges, rounded: a quarter wider on both sides, twice as wide at a long tail. Owners",
        "# with values outside, or with gaps where the sample has none, cannot take part. Columns are scaled",
        "# by these ranges; the model is delivered in their own units.",
        *left_out,
        "features:",
        *features,
        *_basis_lines(request),
        *_target_lines(request),
        f"scale: {request.scale}",
        *([_INFERENCE] if request.inference else []),
        "",
        "schedule:",
        f"  rounds: {schedule.rounds} # At most: averages of the owners' local models.",
        *_method_lines(schedule),
        f"  tolerance: {schedule.tolerance} # Ends when a round improves the error by less than this share.",
        "",
        *_bounds_lines(request),
        *_start_lines(request),
        "owners:",
        f"  minimum: {request.owners.minimum} # Fewer: cancelled, and the deposit returned. At least 4.",
        f"  maximum: {request.owners.maximum} # Of these, 70 % train and 30 % validate.",
        "",
        "payment:",
        f'  deposit_wei: "{payment.deposit_wei}" # {deposit}; the contract takes {least} at least.',
        "",
        f"# The aggregator that runs the training.{nobody}",
        f'aggregator: "{request.aggregator}"',
    ]
    return "\n".join(lines) + "\n"


def _method_lines(schedule: Schedule) -> list[str]:
    if schedule.is_admm:
        return [
            f"  method: {schedule.method} # Comes to the best model of all trainers' rows, like or unlike.",
            f"  rho: {schedule.penalty} # Less trusts each owner's own rows more, in the first rounds.",
        ]
    return [
        f"  local_steps: {schedule.local_steps} # Gradient steps in each round; they cost nothing.",
        "  step_size: auto # Each owner takes the largest that is safe on its rows.",
    ]


def _kind_lines(request: Request) -> list[str]:
    """The kind of model and its penalties, where they are not those of a document without."""
    if request.model.kind == DEFAULT_KIND and request.model.l2 == ModelKind().l2:
        return []
    lines = ["model:", f"  kind: {request.model.kind}", *_ridge_lines(request)]
    if request.model.dispersion is not None:
        comment = "α: counts of the sample vary by μ + αμ² around their mean; columns explain a part."
        lines.append(f"  dispersion: {request.model.dispersion} # {comment}")
    if request.model.event is not None:
        lines.append(
            f"  event: {quoted(request.model.event)} # 1 where the time ended with the event, else 0."
        )
    return lines


def _ridge_lines(request: Request) -> list[str]:
    if request.model.l2 == ModelKind().l2:
        return []
    ridges = [f"{ridge:f}" for ridge in request.model.ridges]
    if len(ridges) == 1:
        return [f"  l2: {ridges[0]} # Ridge's λ: how strongly large weights are drawn to zero."]
    each = request.schedule.rounds // len(ridges)
    return [f"  l2: [{', '.join(ridges)}] # Ridge's λ, {each} rounds each; the least error chooses."]


def _target_lines(request: Request) -> list[str]:
    """What is predicted, a line for each column."""
    if request.target is not None:
        is_text = request.target.kind == "categorical"
        note = " # Owners with other levels cannot take part." if is_text else ""
        return [f"target: {column_text(request.target)}{note}"]
    return ["targets:", *(f"  - {column_text(one)}" for one in request.targets)]


def _start_lines(request: Request) -> list[str]:
    if isinstance(request.start, StartMeans):
        what = "shares of the levels" if request.target else "means of the targets"
        values = ", ".join(map(str, request.start.values))
        return [
            f"# The sample's {what}, in their order: you pay for what the owners' data add to them.",
            f"start: {{ start: means, values: [{values}] }}",
            "",
        ]
    if not isinstance(request.start, StartMean):
        return [
            "# Hazards that are all alike: you pay for what the owners' data tell apart.",
            "start: { start: zero }",
            "",
        ]
    return [
        "# The sample's mean, to three digits: you pay for what the owners' data add to it.",
        f"start: {{ start: mean, value: {request.start.value} }}",
        "",
    ]


def _basis_lines(request: Request) -> list[str]:
    """The curves, a line each."""
    if not request.basis:
        return []
    comment = [
        "# Curves with knots at the sample's quartiles, rounded; owners read their rows again for them."
    ]
    document = request.model_dump(mode="json")["basis"]
    return [*comment, "basis:", *(f"  - {json.dumps(one, ensure_ascii=False)}" for one in document)]


def _bounds_lines(request: Request) -> list[str]:
    """The fewest rows of an owner, where they are not those of a request that does not say."""
    kind, least = request.model.kind, request.bounds.min_rows
    if kind not in FITTED and least == USUAL_ROWS:
        return []
    first = "Each owner fits its own rows first: " if kind in FITTED else "Of each owner "
    return [
        f"# {first}{ROWS_PER_FEATURE[kind]} rows for each feature at least. With fewer",
        "# its model follows noise, and owners of worthless rows earn more.",
        f"bounds: {{ min_rows: {least} }}",
        "",
    ]


def _comment(text: str) -> str:
    return f"# {_plain_text(text)}"


def _plain_text(text: str) -> str:
    """One line whatever is in it: a file whose name has line ends must not add fields of its own."""
    return "".join(one if one.isprintable() else ascii(one)[1:-1] for one in text)
