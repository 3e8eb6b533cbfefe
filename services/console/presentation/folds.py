"""The errors of a training's folds, in words."""

from services.console.presentation.format import Formats
from services.console.presentation.i18n import gettext_noop as _
from services.console.presentation.i18n import locale_of, translations
from services.records.folds import FoldErrors

_ONE = _("One of %(asked)s folds is over: its model's error on owners that it has not seen is %(mean)s.")
_SOME = _(
    "Over %(over)s of %(asked)s folds the mean error on owners that a model has not seen is "
    "%(mean)s, with a standard deviation of %(deviation)s."
)
_ALL = _(
    "Over all %(asked)s folds the mean error on owners that a model has not seen is %(mean)s, with a "
    "standard deviation of %(deviation)s; the last fold's model is the one that is delivered."
)


def folds_sentence(found: FoldErrors, language: str = "en") -> str:
    """Mean and spread."""
    formats = Formats(locale_of(language))
    text = _ALL if len(found.errors) == found.asked else _SOME
    values = {
        "over": formats.number(len(found.errors)),
        "asked": formats.number(found.asked),
        "mean": formats.significant(found.mean),
        "deviation": "" if found.deviation is None else formats.significant(found.deviation),
    }
    return translations(language).gettext(_ONE if found.deviation is None else text) % values
