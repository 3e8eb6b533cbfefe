"""One party of a pure market: keys, private data, and whatever its steps have left behind."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache, cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from protocol.codec import pack
from protocol.crypto.paillier import PrivateKey, generate_private_key
from protocol.data_card import CardColumn, DataCard, bucket_of
from protocol.data_set import DataSet
from protocol.learning.statistic import Statistic, StatisticBuilder
from protocol.preparation.layout import KeptColumn
from protocol.roles import dispatch
from protocol.roles.dispatch import RoleModule
from protocol.roles.engine.effects import PutValue, RecordFact, ReportViolation
from protocol.roles.engine.inputs import Input
from protocol.roles.engine.private import COUNTS, JOINED
from protocol.roles.owner.budget import Counts
from protocol.signatures import address_of

Matrix = NDArray[np.float64]
ENDED = ("finished", "failed", "declined", "done")


@cache
def training_key(bits: int) -> PrivateKey:
    return generate_private_key(bits)


def make_statistic(columns: Sequence[str], rows: Matrix) -> Statistic:
    builder = StatisticBuilder(columns)
    builder.add(rows)
    return builder.finish()


def make_data_set(statistic: Statistic, name: str = "rows", least_pay: int = 0) -> DataSet:
    """With a card that declares the rows' own ranges."""
    columns = tuple(map(_card_column, statistic.kept))
    card = DataCard(name=name, columns=columns, rows_from=bucket_of(statistic.rows), least_pay_wei=least_pay)
    return DataSet(card, statistic)


def _card_column(one: KeptColumn) -> CardColumn:
    match one.kind:
        case "boolean":
            return CardColumn(name=one.name, kind="boolean")
        case "categorical":
            return CardColumn(name=one.name, kind="categorical", vocabulary=one.levels)
    return CardColumn(name=one.name, minimum=Decimal(repr(one.minimum)), maximum=Decimal(repr(one.maximum)))


def owning(data_set: DataSet) -> dict[str, bytes]:
    """The private values of an owner that has this data set."""
    name = data_set.card.name
    return {f"data_set:{name}": data_set.statistic.to_bytes(), f"card:{name}": pack(data_set.card)}


def owning_rows(
    columns: Sequence[str], rows: Matrix, name: str = "rows", least_pay: int = 0
) -> dict[str, bytes]:
    """The same of rows, m×k."""
    return owning(make_data_set(make_statistic(columns, rows), name, least_pay))


class SharedRoles(dict[str, RoleModule]):
    """Modules by role, of which a copied market has the same: a module cannot be copied."""

    def __deepcopy__(self, _memo: object) -> "SharedRoles":
        return self


@dataclass
class Party:
    role: str
    signing_key: bytes
    exchange_secret: bytes
    private: dict[str, bytes] = field(default_factory=dict)
    policy: bytes = b""
    roles: Mapping[str, RoleModule] = field(default_factory=lambda: SharedRoles(dispatch.ROLES))
    state: bytes | None = None
    shown: str = ""
    blobs: dict[bytes, bytes] = field(default_factory=dict)
    timers: dict[str, float] = field(default_factory=dict)
    results: dict[str, bytes] = field(default_factory=dict)
    kept: list[str] = field(default_factory=list)
    values: dict[str, bytes] = field(default_factory=dict)
    facts: list[RecordFact] = field(default_factory=list)
    violations: list[ReportViolation] = field(default_factory=list)
    inbox: list[Input] = field(default_factory=list)
    taken: list[Input] = field(default_factory=list)
    looked_at: tuple[bytes, Any] | None = None

    @cached_property
    def address(self) -> str:
        return address_of(self.signing_key)

    @property
    def decoded(self) -> Any:
        """The state behind the stored bytes, which are read once however often one looks."""
        assert self.state is not None
        if self.looked_at is None or self.looked_at[0] is not self.state:
            self.looked_at = self.state, dispatch.decode_state(self.role, self.state, self.roles)
        return self.looked_at[1]

    @property
    def phase(self) -> str:
        return "" if self.state is None else str(self.decoded.phase)

    def remember(self, effect: PutValue) -> None:
        """Keep a value; an owner's counts follow from its values, as its shell has it."""
        if effect.content is None:
            self.values.pop(effect.name, None)
        else:
            self.values[effect.name] = effect.content
        if self.role == "data_owner":
            joined = [content for name, content in self.values.items() if name.startswith(JOINED.prefix)]
            self.private[COUNTS.name] = pack(Counts.of(joined))
