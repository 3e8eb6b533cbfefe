"""What the parts of a model card are made of, and the words of a reader's language."""

from collections.abc import Callable
from dataclasses import dataclass

from services.console.presentation.card_figures import Bars, Curve
from services.console.presentation.format import Formats
from services.console.presentation.i18n import locale_of, translations


@dataclass(frozen=True, slots=True)
class Table:
    """Cells by row; the columns in `figures` hold numbers."""

    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    figures: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the card; whatever it does not have is empty."""

    title: str
    facts: tuple[tuple[str, str], ...] = ()
    figure: Curve | Bars | None = None
    table: Table | None = None
    texts: tuple[str, ...] = ()
    code: str = ""


@dataclass(frozen=True, slots=True)
class Words:
    """A language's texts and figures."""

    language: str

    @property
    def gettext(self) -> Callable[[str], str]:
        """A text in the language."""
        return translations(self.language).gettext

    @property
    def ngettext(self) -> Callable[[str, str, int], str]:
        """A text about so many."""
        return translations(self.language).ngettext

    @property
    def formats(self) -> Formats:
        """Figures in the language."""
        return Formats(locale_of(self.language))
