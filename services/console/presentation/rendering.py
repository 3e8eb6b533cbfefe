"""Templates and what they are rendered for."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from types import CodeType
from typing import Any

from jinja2 import BytecodeCache, Environment, PackageLoader, StrictUndefined
from jinja2.bccache import Bucket

from protocol.asset import MARKET_ASSET
from protocol.data_card import MOST_CARD_BYTES, MOST_CARDS
from protocol.preparation.values import MAXIMUM_LEVELS, MOST_LEVELS_TOGETHER
from protocol.reason import HELD
from services.console.party import Party
from services.console.presentation import labels
from services.console.presentation.card_parts import Words
from services.console.presentation.card_scores import score_sections
from services.console.presentation.convergence import convergence_sentence
from services.console.presentation.folds import folds_sentence
from services.console.presentation.format import Formats, isoformat, points_text, short
from services.console.presentation.i18n import LANGUAGES, locale_of, translations
from services.console.presentation.penalties import penalty_sentence
from services.data.own_scores import LEAST_ROWS

_FIGURES = (
    *("number", "significant", "of_rows", "metric", "root_metric", "percent"),
    *("money", "money_at_least", "moment", "duration"),
)
_WORDS = (
    *("state_name", "failure_text", "reason_text", "mismatch_text"),
    *("event_text", "share_text", "kind_text"),
)
_LIMITS = {
    "most_cards": MOST_CARDS,
    "most_card_kibibytes": MOST_CARD_BYTES >> 10,
    "most_words": MOST_LEVELS_TOGETHER,
    "most_levels": MAXIMUM_LEVELS,
}

MOST_LIVE = 20
"""Rows of a list that grows with its training which are sent to every viewer again and again."""


class _Compiled(BytecodeCache):
    """What templates compile to, for all consoles of a process: compiling one costs more than showing it."""

    def __init__(self) -> None:
        self._code: dict[tuple[str, str], CodeType] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        """Give the code of a template of this name and content, if there is one."""
        bucket.code = self._code.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep it."""
        assert bucket.code is not None
        self._code[bucket.key, bucket.checksum] = bucket.code


_COMPILED = {language: _Compiled() for language in LANGUAGES}
"""By language: a filter of a constant is worked out when its template is compiled."""


class Templates:
    """The package's templates, one environment for each language."""

    def __init__(self, asset: Callable[[str], str]) -> None:
        """`asset` gives the address of a file by its path."""
        self._environments = {language: _environment(language, asset) for language in LANGUAGES}

    def render(self, language: str, name: str, values: Mapping[str, Any]) -> str:
        """A whole template."""
        return self._environments[language].get_template(name).render(values)


@dataclass(frozen=True, slots=True)
class Reader:
    """For whom something is rendered: all readers with the same language and rights see the same."""

    templates: Templates = field(repr=False)
    party: Party = field(repr=False)
    language: str = "en"
    operates: bool = False

    @property
    def formats(self) -> Formats:
        """Figures in the reader's language."""
        return Formats(locale_of(self.language))

    def gettext(self, text: str) -> str:
        """A text in the reader's language."""
        return translations(self.language).gettext(text)

    def fragment(self, template: str, /, **values: Any) -> str:
        """A template that is a part of a page."""
        return self.templates.render(self.language, template, {**self._values(), **values})

    def _values(self) -> dict[str, Any]:
        return {"operates": self.operates, "party": self.party}


def _environment(language: str, asset: Callable[[str], str]) -> Environment:
    environment = Environment(
        loader=PackageLoader("services.console"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        bytecode_cache=_COMPILED[language],
        extensions=["jinja2.ext.i18n"],
    )
    catalogue = translations(language)
    # The extension adds this method to the environment when it is loaded.
    environment.install_gettext_callables(  # type: ignore[attr-defined]
        catalogue.gettext, catalogue.ngettext, newstyle=True
    )
    formats = Formats(locale_of(language))
    environment.filters |= {name: getattr(formats, name) for name in _FIGURES}
    environment.filters |= {
        "short": short,
        "points": points_text,
        "isoformat": isoformat,
        "kind_name": lambda kind: catalogue.gettext(HELD[kind]),
        "state_word": labels.state_word,
        "score_sections": lambda scores: score_sections(scores, Words(language)),
        "convergence": lambda state: convergence_sentence(state, language),
        "penalties": lambda path: penalty_sentence(path, language),
        "folds": lambda found: folds_sentence(found, language),
    }
    environment.filters |= {
        name: partial(getattr(labels, name), gettext=catalogue.gettext) for name in _WORDS
    }
    environment.globals |= {"asset": asset, "market_asset": MARKET_ASSET, "most_live": MOST_LIVE}
    environment.globals |= {"least_scored": LEAST_ROWS}
    environment.globals |= _LIMITS
    return environment
