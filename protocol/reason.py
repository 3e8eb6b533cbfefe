"""Why a data set does not serve a request: sentences in English that can be told in other languages."""

from typing import Any, Self


class Reason(str):
    """A sentence made of a template, one of `TEMPLATES`, and its values; it reads and is stored as text.

    Values may be reasons themselves: words that are told in the reader's language too.
    """

    __slots__ = ("template", "values")

    template: str
    values: dict[str, Any]

    def __new__(cls, template: str, **values: object) -> Self:
        """The template with its values in it, `%(name)s`."""
        reason = super().__new__(cls, template % values)
        reason.template = template
        reason.values = values
        return reason


HELD = {"numeric": "numbers", "boolean": "yes and no", "date": "dates", "categorical": "texts"}
NO_COLUMN = "no column %(column)s"
OTHER_KIND = "column %(column)s holds %(held)s; %(asked)s asked"
GAPS = "column %(column)s has rows without a value; a value in every row asked"
HIDDEN_LEVELS = "column %(column)s has levels that are not asked for, %(count)s of them"
LEVELS = "column %(column)s has levels that are not asked for: %(levels)s"
MORE_LEVELS = "column %(column)s has levels that are not asked for: %(levels)s and %(count)s more"
CLIPPED = "column %(column)s was clipped to a range; values as they are asked"
NO_LOGARITHMS = "column %(column)s was kept without logarithms; they are asked"
OUTSIDE = "column %(column)s runs from %(low)s to %(high)s; %(minimum)s to %(maximum)s asked"
FEW_ROWS = "%(rows)s rows or more; at least %(asked)s asked"
LOW_PAY = "the least fixed pay is %(pay)s; its card asks for %(asked)s"
_TEXT = (
    "more than %(levels)s different texts, or one that is no level (at most %(length)s characters on one "
    "line), so that no request can ask for it; write it as fewer levels, as numbers or as dates, and add the "
    "rows again"
)
TEXT = f"column %(column)s holds {_TEXT}"
TEXTS = f"each of the columns %(column)s holds {_TEXT}"

TEMPLATES = (
    *HELD.values(),
    NO_COLUMN,
    OTHER_KIND,
    GAPS,
    HIDDEN_LEVELS,
    LEVELS,
    MORE_LEVELS,
    CLIPPED,
    NO_LOGARITHMS,
    OUTSIDE,
    FEW_ROWS,
    LOW_PAY,
    TEXT,
    TEXTS,
)
"""All of them: what a translation needs."""
