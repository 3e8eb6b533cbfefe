"""The policy as a form: what it shows, and what a filled-in one means or lacks."""

import re
from collections.abc import Mapping

from protocol.asset import MARKET_ASSET
from protocol.errors import MisuseError
from protocol.owner_policy import LARGEST_LIMIT, Budget, OwnerPolicy, TokenPay
from protocol.terms import LONGEST_REVEAL_SECONDS, NATIVE
from services.common.accents import composed
from services.console.presentation.i18n import gettext_noop as _
from services.console.presentation.parse import whole_number
from services.console.presentation.problem import Problem, not_an_amount, read_address

_LISTS = ("buyers", "model_kinds", "columns", "data_sets")
_LONGEST_NAME = 200


def form_of(policy: OwnerPolicy) -> dict[str, str]:
    """A policy as it is shown for changing: texts by field."""
    per_buyer, in_total = policy.budget.per_buyer, policy.budget.in_total
    return {
        "automatic": "yes" if policy.automatic else "",
        "standard_errors": "yes" if policy.standard_errors else "",
        "withdraw": "yes" if policy.withdraw else "",
        **{name: "\n".join(getattr(policy, name)) for name in _LISTS},
        "minimum_pay": MARKET_ASSET.plain(policy.minimum_pay_wei),
        "most_bond": MARKET_ASSET.plain(policy.most_bond_wei),
        "tokens": "\n".join(f"{pay.token} {pay.minimum_pay} {pay.most_bond}" for pay in policy.tokens),
        "minimum_reveal_s": str(policy.minimum_reveal_s),
        "per_buyer": "" if per_buyer is None else str(per_buyer),
        "in_total": "" if in_total is None else str(in_total),
    }


def read(form: Mapping[str, str], before: OwnerPolicy) -> tuple[OwnerPolicy | None, dict[str, Problem]]:
    """(the policy that a form describes, problems by field): one of the two is empty."""
    problems: dict[str, Problem] = {}
    lists = {name: _lines(form.get(name, "")) for name in _LISTS}
    buyers = _buyers(lists["buyers"], problems)
    for name in _LISTS[1:]:
        if any(len(item) > _LONGEST_NAME or not item.isprintable() for item in lists[name]):
            problems[name] = Problem(_("A name has at most 200 printable characters; give one per line."))
    minimum_pay = _amount(form, "minimum_pay", problems)
    most_bond = _amount(form, "most_bond", problems)
    tokens = _tokens(form, problems)
    minimum_reveal_s = _seconds(form, problems)
    per_buyer = _count(form, "per_buyer", problems)
    in_total = _count(form, "in_total", problems)
    if problems:
        return None, problems
    policy = OwnerPolicy(
        automatic=form.get("automatic") == "yes",
        standard_errors=form.get("standard_errors") == "yes",
        withdraw=form.get("withdraw") == "yes",
        buyers=buyers,
        model_kinds=lists["model_kinds"],
        columns=lists["columns"],
        data_sets=lists["data_sets"],
        minimum_pay_wei=minimum_pay,
        most_bond_wei=most_bond,
        tokens=tokens,
        minimum_reveal_s=minimum_reveal_s,
        budget=Budget(per_buyer=per_buyer, in_total=in_total, limits=before.budget.limits),
    )
    return policy, {}


def limit_of(form: Mapping[str, str], before: Budget) -> tuple[Budget | None, dict[str, Problem]]:
    """(the budget with the limit that a form describes, problems by field); no number takes a limit away."""
    problems: dict[str, Problem] = {}
    data_set, typed = form.get("data_set", "").strip(), form.get("buyer", "").strip()
    if not data_set or len(data_set) > _LONGEST_NAME or not data_set.isprintable():
        problems["data_set"] = Problem(_("Name the data set."))
    no_address = _("An address is 0x and 40 hexadecimal digits; leave it empty for all buyers.")
    buyer = read_address(typed, no_address) if typed else None
    if isinstance(buyer, Problem):
        problems["buyer"], buyer = buyer, None
    numbers = _count(form, "numbers", problems)
    if problems:
        return None, problems
    return before.with_limit(data_set, buyer, numbers), {}


def _lines(text: str) -> tuple[str, ...]:
    parts = re.split(r"[\n\r]+", composed(text))
    return tuple(dict.fromkeys(part.strip() for part in parts if part.strip()))


def _buyers(typed: tuple[str, ...], problems: dict[str, Problem]) -> tuple[str, ...]:
    no_address = _("An address is 0x and 40 hexadecimal digits; give one per line.")
    read = [read_address(text, no_address) for text in typed]
    for problem in read:
        if isinstance(problem, Problem):
            problems["buyers"] = problem
    return tuple(dict.fromkeys(buyer for buyer in read if isinstance(buyer, str)))


def _amount(form: Mapping[str, str], name: str, problems: dict[str, Problem]) -> int:
    try:
        return MARKET_ASSET.parse(form.get(name, "").strip() or "0")
    except MisuseError:
        problems[name] = not_an_amount()
        return 0


def _tokens(form: Mapping[str, str], problems: dict[str, Problem]) -> tuple[TokenPay, ...]:
    """A line for each: the address and, if any, the least fixed pay and the most bond in smallest units."""
    no_token = _(
        "Give a token's address, the least pay and the most bond in its smallest units, one token per line."
    )
    taken: dict[str, TokenPay] = {}
    for line in _lines(form.get("tokens", "")):
        typed, *figures = line.split()
        token = read_address(typed, no_token)
        least, most = [*figures, "0", "0"][:2]
        minimum, most_bond = whole_number(least, 1 << 128), whole_number(most, 1 << 128)
        if isinstance(token, Problem):
            problems["tokens"] = token
        elif len(figures) > 2 or None in (minimum, most_bond) or token in taken or token == NATIVE:
            problems["tokens"] = Problem(no_token)
        else:
            taken[token] = TokenPay(token=token, minimum_pay=minimum or 0, most_bond=most_bond or 0)
    return tuple(taken.values())


def _seconds(form: Mapping[str, str], problems: dict[str, Problem]) -> int:
    seconds = whole_number(form.get("minimum_reveal_s", "").strip(), LONGEST_REVEAL_SECONDS)
    if not seconds:
        problems["minimum_reveal_s"] = Problem(_("Give a whole number of seconds from 1 to 604,800."))
    return seconds or 0


def _count(form: Mapping[str, str], name: str, problems: dict[str, Problem]) -> int | None:
    text = form.get(name, "").strip()
    number = whole_number(text, LARGEST_LIMIT)
    if text and number is None:
        problems[name] = Problem(_("Give a whole number up to 1,000,000, or nothing."))
    return number
