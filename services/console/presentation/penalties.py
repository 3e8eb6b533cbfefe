"""What each ridge penalty of a path came to, in words."""

from collections.abc import Sequence

from services.console.presentation.format import Formats
from services.console.presentation.i18n import gettext_noop as _
from services.console.presentation.i18n import locale_of, translations
from services.records.penalties import Penalty, chosen_ridge

_CHOSEN = _(
    "Of the ridge penalties λ = %(chosen)s has the least error, and is chosen: least errors are %(errors)s."
)
_ONE = _("%(error)s for %(ridge)s")


def penalty_sentence(path: Sequence[Penalty], language: str = "en") -> str:
    """Empty where there was nothing to choose."""
    chosen = chosen_ridge(path)
    if chosen is None:
        return ""
    gettext, formats = translations(language).gettext, Formats(locale_of(language))
    told = (gettext(_ONE) % {"error": formats.significant(one.error), "ridge": one.ridge} for one in path)
    return gettext(_CHOSEN) % {"chosen": chosen, "errors": ", ".join(told)}
