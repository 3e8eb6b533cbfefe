"""What is wrong with a request, in words that can be translated."""

import re
from typing import Any

from pydantic_core import ErrorDetails

from protocol.asset import NO_TOKENS
from protocol.errors import ProtocolViolation
from protocol.payment import least_deposit
from protocol.request import Request
from protocol.value_rules import rule_of
from services.common.addresses import is_address
from services.console.presentation.i18n import gettext_noop as _
from services.console.presentation.labels import FAILURES
from services.console.presentation.problem import Problem, not_an_amount, wrong_checksum

_BY_TYPE = {
    "missing": _("This is required."),
    "string_too_short": _("This is required."),
    "string_too_long": _("At most %(max_length)s characters."),
    "string_pattern_mismatch": _("This must be an address: 0x and 40 hexadecimal digits."),
    "int_type": _("This must be a whole number."),
    "int_parsing": _("This must be a whole number."),
    "int_from_float": _("This must be a whole number."),
    "decimal_type": _("This must be a number."),
    "greater_than_equal": _("At least %(ge)s."),
    "greater_than": _("More than %(gt)s."),
    "less_than_equal": _("At most %(le)s."),
    "less_than": _("Less than %(lt)s."),
    "multiple_of": _("This must be a multiple of %(multiple_of)s."),
    "too_short": _("At least %(min_length)s."),
    "too_long": _("At most %(max_length)s."),
    "extra_forbidden": _("A request has no such field."),
    "union_tag_invalid": _("Choose one of the starting points."),
    "tuple_type": _("This cannot be read: write it as in a YAML request, one in braces after the other."),
    "basis_kind": _("The kind must be polynomial, spline, interaction or fourier."),
}

_BY_TEXT = (
    (r"must be a decimal number", _("This must be a number.")),
    (r"must be a finite number.*", _("This must be a number between 1e-30 and 1e30.")),
    (r"must have at most (?P<digits>\d+) digits", _("At most %(digits)s digits.")),
    (r"must be printable text on one line", _("Only printable characters, on one line.")),
    (r"column (?P<column>.+): minimum must be below maximum", _("The minimum must be below the maximum.")),
    (
        r"owners.minimum must not exceed owners.maximum",
        _("The maximum of owners must not be below the minimum."),
    ),
    (
        r"payment shares add up to (?P<points>\d+) basis points.*",
        _("The shares add up to %(points)s basis points; they must add up to 10000, which is 100 %%."),
    ),
    (
        r"every bond is zero: .*",
        _("No bond is asked of anybody: give an amount, or leave all four fields empty."),
    ),
    (r"forfeit_to is the zero address: .*", _("Nobody has this address.")),
    (
        r"payment.bonds.forfeit_to is the aggregator, .*",
        _("The aggregator deposits a bond: somebody else must get what is lost."),
    ),
    (
        r"column '(?P<column>.+)': level '(?P<level>.+)' is named twice",
        _("The column %(column)s has the level %(level)s twice."),
    ),
    (r"column (?P<column>.+) is named twice", _("The column %(column)s is named twice.")),
    (
        r"start.weights has (?P<count>\d+) values; (?P<needed>\d+) needed",
        _("Weights given: %(count)s; %(needed)s are needed, the intercept last."),
    ),
    (r"start: mean needs model.intercept: true", _("Starting from the mean needs an intercept.")),
    (
        r"target: \w+ predicts a column of 0 and 1, and '(?P<column>.+)' is .*",
        _("A binary classification predicts truth values: write kind: boolean in the rules of %(column)s."),
    ),
    (
        r"several_targets needs targets, a list of (?P<least>\d+) to (?P<most>\d+) columns.*",
        _(
            "List %(least)s to %(most)s columns under several columns to predict, and leave the one column "
            "above empty."
        ),
    ),
    (
        r"targets: \w+ predicts one column.*",
        _("Only a regression of several targets has several columns to predict: choose it, or empty them."),
    ),
    (
        r"target: \w+ predicts numbers, and '(?P<column>.+)' is categorical.*",
        _("%(column)s holds levels: ask for several classes, or for kind: boolean and one level."),
    ),
    (
        r"target: several_classes tells levels apart.*",
        _("Several classes are levels: write kind: categorical, levels: [a, b, c] under kind and gaps."),
    ),
    (
        r"target: (?P<count>\d+) levels; several_classes tells (?P<least>\d+) to (?P<most>\d+) .*",
        _("There are %(count)s levels; several classes are %(least)s to %(most)s."),
    ),
    (
        r"target: every class has weights of its own.*",
        _("Classes have neither a reference nor a level for others."),
    ),
    (
        r"\w+ starts from (a mean|the share) of each.*",
        _("This kind of model starts from each target's mean, or each class's share."),
    ),
    (r"\w+ has one target: use start.*", _("This kind of model starts from one mean.")),
    (
        r"start.values has (?P<has>\d+) values; (?P<needed>\d+) needed.*",
        _("Means or shares given: %(has)s; needed: %(needed)s."),
    ),
    (
        r"start.values add up to (?P<sum>\S+); .*",
        _("The shares add up to %(sum)s; each is above 0, and all make 1."),
    ),
    (r"\w+ needs model.dispersion.*", _("This kind of model needs a dispersion α.")),
    (
        r"model.dispersion is for counts that vary more than Poisson's, .*",
        _("Only a negative binomial regression has a dispersion: leave it empty."),
    ),
    (
        r"\w+ needs model.event: .*",
        _("This kind of model needs the column that says whether the time ended with the event."),
    ),
    (r"schedule.rho is .*, which averaging has no use for.*", _("Only ADMM has a ρ: leave it empty.")),
    (
        r"schedule.method is admm, which takes no gradient steps.*",
        _("ADMM takes no steps: leave 500 steps and step size auto."),
    ),
    (r"schedule.method: admm needs scale: range.*", _("ADMM needs columns scaled by their ranges.")),
    (r"model.event is for times until an event, .*", _("Only a Cox regression has a column of events.")),
    (r"\w+ starts from hazards that are all alike: .*", _("This kind of model starts from zero.")),
    (r"\w+ needs model.intercept: true", _("This kind of model needs an intercept.")),
    (
        r"\w+ starts from the share of ones: .*",
        _("A binary classification starts from the target's mean: the share of yes that you expect."),
    ),
    (
        r"start.value is .*, no mean of a target between (?P<low>\S+) and (?P<high>\S+)",
        _("The mean must lie in the target's range, from %(low)s to %(high)s."),
    ),
    (
        r"bounds.\w+ is (?P<has>\d+); this start and schedule may need (?P<needed>\d+): leave it out",
        _("%(has)s bits are too few: %(needed)s may be needed. Leave the field empty."),
    ),
    (
        r"this start and schedule may need (?P<needed>\d+) bits, of (?P<most>\d+) at most.*",
        _("The first weights are too large for the target's range: %(needed)s bits, of %(most)s at most."),
    ),
    (
        r"column '(?P<column>.+)': floating point has no numbers.*",
        _("The range of %(column)s is too narrow beside its values: widen it, or subtract a constant."),
    ),
    (
        r"inference.*",
        _(
            "Standard errors need 7 owners at least, columns scaled by their ranges, a ridge penalty of "
            "0.00001 at most, and another model than a binary classification."
        ),
    ),
    (
        r"a path of l2 falls, .*: \[(?P<path>.+)\]",
        _("Several penalties fall, the strongest first, and none stands twice: %(path)s."),
    ),
    (
        r"model.l2 has (?P<values>\d+) values, over which .* make it (?P<rounds>\d+)",
        _("The rounds are shared out evenly over %(values)s penalties: make them %(rounds)s."),
    ),
    (
        r"model.l2 has several values, .*",
        _("Of several penalties the least error chooses: deliver the model of the best round."),
    ),
    (
        r"model.l2: .* take fewer values.*",
        _("So many penalties and columns are more than owners' messages have room for: take fewer."),
    ),
    (
        r"basis needs model.intercept: true and scale: range",
        _("Curves need an intercept, and columns scaled by their ranges."),
    ),
    (
        r"\w+ of '(?P<column>.+)': there is no such feature",
        _("There is no column %(column)s to predict from."),
    ),
    (
        r"\w+ of '(?P<column>.+)': the column is \w+; numbers and dates have curves",
        _("Only numbers and dates have curves, and %(column)s is neither."),
    ),
    (r"spline of '(?P<column>.+)': knots must ascend", _("The knots of %(column)s must ascend.")),
    (
        r"spline of '(?P<column>.+)': knots must lie between .*",
        _("The knots of %(column)s must lie within its range, and not too near to each other or its ends."),
    ),
    (
        r"the features make (?P<count>\d+) weights; at most (?P<most>\d+)",
        _("The columns and curves make %(count)s weights; a request may have %(most)s."),
    ),
    (r"a start weight does not fit.*", _("A starting weight does not fit into the bits for weights.")),
    (
        r"residuals of the first model may need (?P<needed>\d+) bits; bounds.residual_bits is (?P<has>\d+).*",
        _(
            "Errors of the first model may need %(needed)s bits and have %(has)s: raise the bits for errors, "
            "or narrow the ranges."
        ),
    ),
)


def problem_of(item: ErrorDetails) -> Problem:
    """The problem behind an error of the request's own rules."""
    if item["loc"] == ("payment", "deposit_wei") and item["type"].startswith("int"):
        return not_an_amount()
    if item["input"] == "":
        return Problem(_("This is required."))
    if item["type"] == "value_error":
        return _from_text(item["msg"].removeprefix("Value error, "))
    if item["type"] == "string_pattern_mismatch" and is_address(item["input"]):
        return wrong_checksum(item["input"])
    text = _BY_TYPE.get(item["type"])
    if text is None:
        return Problem("%(reason)s", {"reason": rule_of(item)})
    context: dict[str, Any] = item.get("ctx", {})
    return Problem(text, {name: str(value) for name, value in context.items()})


def impossible(violation: ProtocolViolation, request: Request) -> Problem:
    """Why no aggregator could take this request on, or the contract would refuse it."""
    if violation.code == "widths_do_not_fit":
        text = _("The numbers of this request do not fit into its key: %(reason)s")
        return Problem(text, {"reason": violation.detail})
    if violation.code == "deposit_too_low":
        text = _("For this many rounds and owners, the contract asks for at least %(needed)s.")
        return Problem(text, {"needed": NO_TOKENS.of(request.payment.token).exact(least_deposit(request))})
    if violation.code in FAILURES:
        return Problem(FAILURES[violation.code], {})
    return Problem("%(reason)s", {"reason": str(violation)})


def _from_text(text: str) -> Problem:
    for pattern, meaning in _BY_TEXT:
        match = re.fullmatch(pattern, text)
        if match:
            return Problem(meaning, match.groupdict())
    return Problem("%(reason)s", {"reason": text})
