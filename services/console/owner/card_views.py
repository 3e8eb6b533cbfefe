"""Data sets' cards as their owner sees them: what they say to buyers, and whether buyers see them."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from protocol.data_card import CardColumn, DataCard, without_room
from protocol.data_set import DataSet, revealing
from services.data.catalog import Catalog
from services.data.declarations import column_ends


@dataclass(frozen=True)
class CardView:
    """A card; `lack` is what no announcement has room for, though it is listed."""

    card: DataCard
    lack: str = ""
    data_set: DataSet | None = None

    @property
    def is_shown(self) -> bool:
        """Whether aggregators are told, and with them their buyers."""
        return self.card.listed and not self.lack

    @property
    def has_words(self) -> bool:
        """Whether it has a vocabulary."""
        return self.card.levels > 0

    @cached_property
    def revealing(self) -> tuple[str, ...]:
        """The columns whose words describe single rows."""
        return () if self.data_set is None else revealing(self.data_set.statistic)

    @property
    def rows(self) -> tuple[tuple[CardColumn, str, str], ...]:
        """Each column with its ends as people write them."""
        return tuple((column, *column_ends(column)) for column in self.card.columns)


def card_views(catalogue: Catalog, fresh: DataCard | None = None) -> Mapping[str, CardView]:
    """All cards by the name of their data set, a `fresh` one as if it were added."""
    data_sets = catalogue.all()
    cards = {name: one.card for name, one in data_sets.items()}
    if fresh is not None:
        cards[fresh.name] = fresh
    lacks = without_room(cards)
    return {name: CardView(card, lacks.get(name, ""), data_sets.get(name)) for name, card in cards.items()}
