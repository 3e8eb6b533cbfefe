"""Whether a training has converged, in words."""

from services.console.presentation.format import Formats
from services.console.presentation.i18n import gettext_noop as _
from services.console.presentation.i18n import locale_of, translations
from services.records.convergence import Convergence

_SMALL = 0.01

_STOPPED = _("It ended early, after %(rounds)s of at most %(agreed)s rounds.")
_TOLERANCE = _(
    "It has converged: the last round improved the error by %(last)s, less than the tolerance of "
    "%(tolerance)s."
)
_CONVERGED = _("It has converged: the last round changed the error by less than %(least)s.")
_NEARLY = _(
    "It has all but converged: the last of %(agreed)s rounds still improved the error by %(last)s, but "
    "another would bring less than %(least)s, if improvements go on shrinking as the last two did."
)
_WORSE = _("The last round did not improve the error, which grew by %(worse)s.")
_STILL = _(
    "It has not converged: all %(agreed)s rounds were used, and the last still improved the error by "
    "%(last)s; another might bring about %(next)s, if improvements go on shrinking as the last two did."
)
_STILL_UNKNOWN = _(
    "It has not converged: the agreed number of rounds (%(agreed)s) was used, and the last still improved "
    "the error by %(last)s; there are no two improvements to tell from what another would bring."
)


def convergence_sentence(state: Convergence, language: str = "en") -> str:
    """Empty while the training runs."""
    text = _text_of(state)
    return translations(language).gettext(text) % _values(state, Formats(locale_of(language))) if text else ""


def _values(state: Convergence, formats: Formats) -> dict[str, str]:
    return {
        "rounds": formats.number(state.rounds),
        "agreed": formats.number(state.agreed),
        "tolerance": _share(state.tolerance, formats),
        "last": _share(state.last_gain, formats),
        "worse": _share(-state.last_gain, formats),
        "least": _share(state.least_gain, formats),
        "next": _share(state.next_gain, formats),
    }


def _text_of(state: Convergence) -> str:
    if state.ended in ("running", "early"):
        return _STOPPED if state.ended == "early" else ""
    if state.ended == "tolerance" and state.last_gain >= 0:
        return _TOLERANCE
    if state.has_converged:
        return _CONVERGED if abs(state.last_gain) < state.least_gain else _NEARLY
    if state.last_gain < 0:
        return _WORSE
    return _STILL_UNKNOWN if state.next_gain is None else _STILL


def _share(part: float | None, formats: Formats) -> str:
    return formats.percent(part, 1 if part is None or abs(part) >= _SMALL else 3)
