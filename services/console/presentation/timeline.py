"""What happened, in order, from a daemon's facts and the chain's events."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from services.console.presentation.i18n import gettext_noop as _
from services.records.chain_history import ChainStory

TEXTS = {
    "opened": _("The training was opened on the chain"),
    "invited": _("Data owners were invited"),
    "owner_answered": _("A data owner answered"),
    "joining": _(
        "%(asked)s data owners asked: %(joined)s joined, %(waiting)s waiting, %(declined)s declined"
    ),
    "started": _("The training started"),
    "role_drawn": _("The contract drew this owner's role"),
    "round_recorded": _("Round %(round)s was recorded"),
    "round_signed": _("Round %(round)s was signed by buyer and validators"),
    "trained": _("The update for round %(round)s was computed and sent"),
    "trained_in_vain": _("The update for round %(round)s was computed ahead, and was not needed"),
    "validated": _("Round %(round)s was measured"),
    "settled": _("The deposit was divided"),
    "finished": _("The model arrived"),
    "cancelled": _("The training was cancelled"),
    "stop_requested": _("The operator asked to stop"),
    "gave_up": _("The aggregator gave up"),
    "open_refused": _("The contract refused to open the training"),
    "request_refused": _("The request was refused"),
    "join_refused": _("The contract refused to let this owner join"),
    "dropped": _("A participant was left out"),
    "complaint": _("The aggregator complained of somebody"),
    "implausible": _("The numbers of round %(round)s were not plausible, and were not signed"),
    "no_match": _("No data set serves this request"),
    "asks_decision": _("A decision is awaited"),
    "over_budget": _("More numbers than the data set's budget has left"),
    "data_set_does_not_match": _("The chosen data set does not serve this request"),
    "Joined": _("A data owner joined"),
    "Closed": _("Joining ended"),
    "RolesDrawn": _("Trainers and validators were drawn"),
    "Withdrawn": _("Ether was withdrawn"),
}
"""By fact, or by event for those that no fact tells; what is not here is not shown."""

_FROM_CHAIN = ("Joined", "Closed", "RolesDrawn")
_SHOWN_DATA = ("code", "owner", "decision", "role", "data_set", "participant", "accused")


@dataclass(frozen=True, slots=True)
class Moment:
    """One line: `text` is translated where it is shown, `about` are short public values."""

    at: float
    text: str
    values: dict[str, int]
    about: tuple[str, ...]


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
    about = (*(str(data[key]) for key in _SHOWN_DATA if key in data), *declined, *waiting)
    values = {key: int(data.get(key, 0)) for key in ("round", "asked", "joined")}
    counted = {"declined": sum(declined.values()), "waiting": sum(waiting.values())}
    return Moment(at, TEXTS[name], {**values, **counted}, about)
