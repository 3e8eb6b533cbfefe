"""The policy as a form: what it shows, and what a filled-in one means or lacks."""

import re
from collections.abc import Mapping

from protocol.asset import MARKET_ASSET
from protocol.errors import MisuseError
from protocol.owner_policy import LARGEST_LIMIT, Budget, OwnerPolicy
from services.console.presentation.i18n import gettext_noop as _
from services.console.presentation.parse import whole_number

_LISTS = ("buyers", "model_kinds", "columns", "data_sets")
_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}")
_LARGEST_PAY = 10**9 * MARKET_ASSET.whole
_LONGEST_NAME = 200


def form_of(policy: OwnerPolicy) -> dict[str, str]:
    """A policy as it is shown for changing: texts by field."""
    per_buyer, in_total = policy.budget.per_buyer, policy.budget.in_total
    return {
        "automatic": "yes" if policy.automatic else "",
        "withdraw": "yes" if policy.withdraw else "",
        **{name: "\n".join(getattr(policy, name)) for name in _LISTS},
        "minimum_pay": MARKET_ASSET.plain(policy.minimum_pay_wei),
        "per_buyer": "" if per_buyer is None else str(per_buyer),
        "in_total": "" if in_total is None else str(in_total),
    }


def read(form: Mapping[str, str], before: OwnerPolicy) -> tuple[OwnerPolicy | None, dict[str, str]]:
    """(the policy that a form describes, problems by field, to be translated): one of the two is empty."""
    problems: dict[str, str] = {}
    lists = {name: _lines(form.get(name, "")) for name in _LISTS}
    buyers = tuple(address.lower() for address in lists["buyers"])
    if not all(_ADDRESS.fullmatch(buyer) for buyer in buyers):
        problems["buyers"] = _("An address is 0x and 40 hexadecimal digits; give one per line.")
    for name in _LISTS[1:]:
        if any(len(item) > _LONGEST_NAME or not item.isprintable() for item in lists[name]):
            problems[name] = _("A name has at most 200 printable characters; give one per line.")
    minimum_pay = _minimum_pay(form, problems)
    per_buyer = _count(form, "per_buyer", problems)
    in_total = _count(form, "in_total", problems)
    if problems:
        return None, problems
    policy = OwnerPolicy(
        automatic=form.get("automatic") == "yes",
        withdraw=form.get("withdraw") == "yes",
        buyers=buyers,
        model_kinds=lists["model_kinds"],
        columns=lists["columns"],
        data_sets=lists["data_sets"],
        minimum_pay_wei=minimum_pay,
        budget=Budget(per_buyer=per_buyer, in_total=in_total, limits=before.budget.limits),
    )
    return policy, {}


def limit_of(form: Mapping[str, str], before: Budget) -> tuple[Budget | None, dict[str, str]]:
    """(the budget with the limit that a form describes, problems by field); no number takes a limit away."""
    problems: dict[str, str] = {}
    data_set, buyer = form.get("data_set", "").strip(), form.get("buyer", "").strip().lower()
    if not data_set or len(data_set) > _LONGEST_NAME or not data_set.isprintable():
        problems["data_set"] = _("Name the data set.")
    if buyer and not _ADDRESS.fullmatch(buyer):
        problems["buyer"] = _("An address is 0x and 40 hexadecimal digits; leave it empty for all buyers.")
    trainings = _count(form, "trainings", problems)
    if problems:
        return None, problems
    return before.with_limit(data_set, buyer or None, trainings), {}


def _lines(text: str) -> tuple[str, ...]:
    parts = re.split(r"[\n\r]+", text)
    return tuple(dict.fromkeys(part.strip() for part in parts if part.strip()))


def _minimum_pay(form: Mapping[str, str], problems: dict[str, str]) -> int:
    try:
        amount = MARKET_ASSET.parse(form.get("minimum_pay", "").strip() or "0")
        if 0 <= amount <= _LARGEST_PAY:
            return amount
    except MisuseError:
        pass
    problems["minimum_pay"] = _("Give an amount of ether of 0 or more, with at most 18 decimals.")
    return 0


def _count(form: Mapping[str, str], name: str, problems: dict[str, str]) -> int | None:
    text = form.get(name, "").strip()
    number = whole_number(text, LARGEST_LIMIT)
    if text and number is None:
        problems[name] = _("Give a whole number up to 1,000,000, or nothing.")
    return number
