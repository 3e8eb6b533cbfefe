"""What is on offer in a market: its columns, its cards, and whose cards serve a request."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal

from protocol.data_card import CardColumn, ColumnKind, DataCard
from protocol.preparation.moments import day_of
from protocol.reason import Reason
from protocol.request import Request
from protocol.requirements import mismatches, pay_mismatch
from protocol.types import Digest
from services.records.offers import told_offers
from services.store import Store


@dataclass(frozen=True, slots=True)
class ListedCard:
    """A card with its hash, who lists it, and when its aggregator told so last (Unix seconds)."""

    owner: str
    card: DataCard
    hash: Digest
    told_at: int


@dataclass(frozen=True, slots=True)
class MarketColumn:
    """A column of this name, kind and unit, whoever offers it: in how many data sets of how many owners.

    `minimum` and `maximum` are those of all ranges together, None where the kind has none; `rows_from` rows
    or more have it.
    """

    name: str
    kind: ColumnKind
    unit: str
    minimum: Decimal | None
    maximum: Decimal | None
    levels: tuple[str, ...]
    owners: int
    data_sets: int
    rows_from: int

    @property
    def ends(self) -> tuple[str, str] | None:
        """The range as people write it."""
        if self.minimum is None or self.maximum is None:
            return None
        if self.kind == "date":
            return day_of(float(self.minimum)), day_of(float(self.maximum))
        return f"{self.minimum:f}", f"{self.maximum:f}"


@dataclass(frozen=True, slots=True)
class CardMatch:
    """Whether a listed card serves a request: it does where there is no reason against it."""

    listed: ListedCard
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class Match:
    """All that an aggregator's owners list, beside a request."""

    request: Request
    owners: int
    cards: tuple[CardMatch, ...]

    @property
    def reached(self) -> tuple[str, ...]:
        """The owners with a card that serves the request, each once."""
        return tuple(dict.fromkeys(one.listed.owner for one in self.cards if not one.reasons))

    @property
    def is_enough(self) -> bool:
        """Whether so many owners could join as the request asks for at least."""
        return len(self.reached) >= self.request.owners.minimum


def listed_by(store: Store, aggregators: Iterable[str]) -> tuple[ListedCard, ...]:
    """The cards that these aggregators told of, by owner and name; each once."""
    found: dict[tuple[str, Digest], ListedCard] = {}
    for aggregator in aggregators:
        for owner, told in told_offers(store, aggregator).items():
            for one in told.cards:
                found[owner, one.hash] = ListedCard(owner, one.card, one.hash, told.at)
    return tuple(sorted(found.values(), key=lambda one: (one.owner, one.card.name)))


def columns_of(cards: Iterable[ListedCard]) -> tuple[MarketColumn, ...]:
    """What columns the cards have together, those of most owners first."""
    groups: dict[tuple[str, ColumnKind, str], _Group] = {}
    for listed in cards:
        for column in listed.card.columns:
            groups.setdefault((column.name, column.kind, column.unit), _Group()).add(listed, column)
    columns = (group.column(*key) for key, group in groups.items())
    return tuple(sorted(columns, key=lambda one: (-one.owners, one.name, one.kind, one.unit)))


def match(request: Request, store: Store, aggregators: Iterable[str]) -> Match:
    """Whose listed cards serve the request. It is the rule that owners answer by, budget and policy apart."""
    addresses = tuple(aggregators)
    owners = {owner for one in addresses for owner in told_offers(store, one)}
    cards = tuple(
        CardMatch(one, (*mismatches(request, one.card), *pay_mismatch(request, one.card)))
        for one in listed_by(store, addresses)
    )
    return Match(request, len(owners), cards)


@dataclass(slots=True)
class _Group:
    """The columns that are one in the market."""

    owners: set[str] = field(default_factory=set)
    lows: list[Decimal] = field(default_factory=list)
    highs: list[Decimal] = field(default_factory=list)
    levels: dict[str, None] = field(default_factory=dict)
    data_sets: int = 0
    rows: int = 0

    def add(self, listed: ListedCard, column: CardColumn) -> None:
        self.owners.add(listed.owner)
        self.data_sets += 1
        self.rows += listed.card.rows_from
        self.levels.update(dict.fromkeys(column.vocabulary))
        if column.minimum is not None and column.maximum is not None:
            self.lows.append(column.minimum)
            self.highs.append(column.maximum)

    def column(self, name: str, kind: ColumnKind, unit: str) -> MarketColumn:
        low, high = min(self.lows, default=None), max(self.highs, default=None)
        owners, levels = len(self.owners), tuple(self.levels)
        return MarketColumn(name, kind, unit, low, high, levels, owners, self.data_sets, self.rows)
