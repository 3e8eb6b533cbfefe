"""What happened, in order, from a daemon's facts and the chain's events."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from services.console.presentation.i18n import gettext_noop as _
from services.console.presentation.labels import EVENTS
from services.records.chain_history import ChainStory

_FROM_CHAIN = ("Joined", "Closed", "Revealed", "RolesDrawn", "BondForfeited")

TEXTS = {
    "opened": _("The training was opened on the chain"),
    "invited": _("Data owners were invited"),
    "owner_answered": _("A data owner answered"),
    "joining": _(
        "Data owners: %(asked)s asked, %(joined)s joined, %(waiting)s waiting, %(declined)s declined"
    ),
    "admission_asked": _("An owner waits to be admitted"),
    "admission_decided": _("It was decided about an owner that would join"),
    "started": _("The training started"),
    "role_drawn": _("The contract drew this owner's role"),
    "round_recorded": _("Round %(round)s was recorded"),
    "round_signed": _("Round %(round)s was signed by buyer and validators"),
    "trained": _("The update for round %(round)s was computed and sent"),
    "trained_in_vain": _("The update for round %(round)s was computed ahead, and was not needed"),
    "validated": _("Round %(round)s was measured"),
    "settled": _("The deposit was divided"),
    "finished": _("The model arrived"),
    "inferred": _("The standard errors of the weights arrived"),
    "not_inferred": _("There are no standard errors of the weights"),
    "cancelled": _("The training was cancelled"),
    "stop_requested": _("The operator asked to stop"),
    "gave_up": _("The aggregator gave up"),
    "open_refused": _("The contract refused to open the training"),
    "request_refused": _("The request was refused"),
    "join_refused": _("The contract refused to let this owner join"),
    "reveal_refused": _("The contract refused this owner's nonce: its seat is lost"),
    "dropped": _("A participant was left out"),
    "check_failed": _("A checker says that round %(round)s is not in order"),
    "named": _("What somebody has signed shows that it lied about round %(round)s"),
    "attempt_over": _("Round %(round)s is measured again"),
    "accused": _("A fault was shown to the contract, which takes the bond"),
    "complaint": _("The aggregator complained of somebody"),
    "implausible": _("The numbers of round %(round)s were not plausible, and were not signed"),
    "no_match": _("No data set serves this request"),
    "asks_decision": _("A decision is awaited"),
    "reveal_too_short": _("Less time to confirm the seat than the policy asks for"),
    "over_budget": _("More numbers than the data set's budget has left"),
    "data_set_does_not_match": _("The chosen data set does not serve this request"),
    **{name: EVENTS[name] for name in (*_FROM_CHAIN, "Withdrawn")},
}
"""By fact, or by event for those that no fact tells; what is not here is not shown."""


@dataclass(frozen=True, slots=True)
class Detail:
    """Whom or what a moment is about: an address, a data set's name, or a reason's code.

    `count` is how many the reason is of, where it is of several.
    """

    kind: Literal["party", "name", "reason"]
    value: str
    count: int | None = None


@dataclass(frozen=True, slots=True)
class Moment:
    """One line: `text` is translated where it is shown, as the reasons in `about` are."""

    at: float
    text: str
    values: dict[str, int]
    about: tuple[Detail, ...]


def timeline(facts: Iterable[tuple[str, dict[str, Any], float]], story: ChainStory) -> tuple[Moment, ...]:
    """All moments, the newest first."""
    moments = [_moment(at, _told(name, data, story), data) for name, data, at in facts if name in TEXTS]
    moments += [
        _moment(entry.at, entry.event, entry.about)
        for entry in story.transactions
        if entry.event in _FROM_CHAIN
    ]
    return tuple(sorted(moments, key=lambda moment: moment.at, reverse=True))


def _told(name: str, data: dict[str, Any], story: ChainStory) -> str:
    """An update goes out before it is known whether its round comes to be."""
    is_over = story.settled is not None and name == "trained"
    return "trained_in_vain" if is_over and int(data["round"]) > len(story.rounds) else name


def _moment(at: float, name: str, data: dict[str, Any]) -> Moment:
    declined, waiting = data.get("declined", {}), data.get("waiting", {})
    groups = [Detail("reason", str(code), count) for code, count in (*declined.items(), *waiting.items())]
    values = {key: int(data.get(key, 0)) for key in ("round", "asked", "joined")}
    counted = {"declined": sum(declined.values()), "waiting": sum(waiting.values())}
    return Moment(at, TEXTS[name], {**values, **counted}, (*_details(data), *groups))


def _details(data: Mapping[str, Any]) -> Iterator[Detail]:
    """Whom, what and why. A code says more than the decision that it stands beside."""
    parties = ("owner", "participant", "checker", "accused", *(("account",) if "fault" in data else ()))
    yield from (Detail("party", str(data[key])) for key in parties if key in data)
    if "data_set" in data:
        yield Detail("name", str(data["data_set"]))
    why = [str(data[key]) for key in ("code", "decision", "role", "fault") if key in data]
    yield from (Detail("reason", code) for code in why[:1])
