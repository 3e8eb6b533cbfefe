"""What a party earned or spent, as the chain has confirmed it: one source for commands, pages and programs.

Each token has an account of its own, in its smallest units, and so has the chain's own coin, in wei. Fees of
transactions are in none: no event of the contract tells them.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Literal, Self, TypeVar, cast

from protocol.marketplace import PartyRole
from protocol.payment import NO_PAY, paid_to
from protocol.roles.dispatch import decode_state
from protocol.terms import NATIVE, Token
from services.records.chain_history import chain_story, pay_of
from services.store import Store

SHARES: Mapping[PartyRole, tuple[str, ...]] = {
    "data_owner": ("contribution", "participation", "validation"),
    "federated_aggregator": ("aggregation",),
    "model_buyer": (),
}
"""What each role is paid for in a training that comes about."""

_REFUND = "refund"
_OWN = frozenset({_REFUND, "bond"})
"""The shares that are no pay: what comes back of a buyer's deposit, and a bond."""

Kind = Literal["deposited", "credited", "withdrawn", "forfeited"]
_EVENTS: Mapping[Kind, tuple[str, str, str]] = {
    "deposited": ("Opened", "buyer", "deposit"),
    "credited": ("Credited", "account", "amount"),
    "withdrawn": ("Withdrawn", "account", "amount"),
    "forfeited": ("BondForfeited", "account", "amount"),
}
"""By kind of movement: the event that tells it, and the names of party and amount in it."""

_ENDS = ("Settled", "Cancelled")
_Key = TypeVar("_Key", int, str)


@dataclass(frozen=True, slots=True)
class Payment:
    """One movement of a party's money; `at` is when its block was made, in Unix seconds.

    A buyer's deposit goes into a training. What is credited waits in the contract, `share` says for what. A
    withdrawal pays it out and belongs to no training. A bond that is forfeited is lost, and `share` says for
    what fault. Amounts are in smallest units of `token`.
    """

    at: float
    amount: int
    kind: Kind = "credited"
    training: int | None = None
    share: str | None = None
    block: int | None = None
    transaction: str | None = None
    token: Token = NATIVE

    @property
    def month(self) -> str:
        """The month of UTC that it falls into, such as 2026-11."""
        return datetime.fromtimestamp(self.at, UTC).strftime("%Y-%m")


@dataclass(frozen=True, slots=True)
class Deal:
    """A training as a ledger names it: its key in the store, what was asked for, by whom and with whom.

    What the store does not know is "".
    """

    key: str = ""
    name: str = ""
    buyer: str = ""
    aggregator: str = ""
    is_over: bool = False


@dataclass(frozen=True, slots=True, repr=False)
class Account:
    """A party's movements in one token, or some of them, the oldest first, and what they come to.

    `deals` are the trainings that they are of, by number. `unclaimed` is what the contract keeps for an owner
    of trainings that are over, until the owner has it credited.
    """

    role: PartyRole
    address: str
    payments: tuple[Payment, ...] = ()
    deals: Mapping[int, Deal] = field(default_factory=dict)
    token: Token = NATIVE
    unclaimed: int = 0

    def __repr__(self) -> str:
        count = f"{len(self.payments)} movements of {len(self.deals)} trainings"
        return f"<{type(self).__name__} of {self.role} {self.address}: {count}>"

    @property
    def deposited(self) -> list[Payment]:
        """What a buyer paid into trainings."""
        return self._of_kind("deposited")

    @property
    def credited(self) -> list[Payment]:
        """What the contract credited, refunds included."""
        return self._of_kind("credited")

    @property
    def withdrawn(self) -> list[Payment]:
        """What it paid out."""
        return self._of_kind("withdrawn")

    @property
    def shares(self) -> dict[str, int]:
        """All pay by what it is for, those of the role first; a refund or the own bond is none."""
        sums = Counter(dict.fromkeys(SHARES[self.role], 0))
        for payment in self.credited:
            if payment.share is not None and payment.share not in _OWN:
                sums[payment.share] += payment.amount
        return dict(sums)

    @property
    def forfeited(self) -> int:
        """The bonds that were lost."""
        return _sum(self._of_kind("forfeited"))

    @property
    def bonds_returned(self) -> int:
        """The bonds that came back."""
        return _sum(payment for payment in self.credited if payment.share == "bond")

    @property
    def earned(self) -> int:
        """All pay together."""
        return sum(self.shares.values())

    @property
    def deposits(self) -> int:
        """All deposits together."""
        return _sum(self.deposited)

    @property
    def refunded(self) -> int:
        """What came back of them."""
        return _sum(payment for payment in self.credited if payment.share == _REFUND)

    @property
    def in_escrow(self) -> int:
        """What of them is in trainings that are not over.

        A refund is credited just before the training is told to be over: it is not in escrow any more.
        """
        running = [one for one in self.payments if one.training and not self.deals[one.training].is_over]
        refunds = _sum(one for one in running if one.share == _REFUND)
        return max(0, _sum(one for one in running if one.kind == "deposited") - refunds)

    @property
    def spent(self) -> int:
        """What others got of them."""
        return self.deposits - self.refunded - self.in_escrow

    @property
    def paid_out(self) -> int:
        """All withdrawals together."""
        return _sum(self.withdrawn)

    @property
    def credit(self) -> int:
        """What the contract holds for this party, as far as the confirmed events tell."""
        return max(0, _sum(self.credited) - self.paid_out)

    @property
    def last_at(self) -> float | None:
        """When the last movement was, in Unix seconds; None without any."""
        return self.payments[-1].at if self.payments else None

    def by_training(self) -> dict[int, Self]:
        """The movements of each training, that of the latest movement first."""
        return self._grouped(lambda payment: payment.training)

    def by_month(self) -> dict[str, Self]:
        """The movements of each month of UTC, the latest first."""
        return self._grouped(lambda payment: payment.month)

    def _of_kind(self, kind: Kind) -> list[Payment]:
        return [payment for payment in self.payments if payment.kind == kind]

    def _grouped(self, key_of: Callable[[Payment], _Key | None]) -> dict[_Key, Self]:
        groups: dict[_Key, list[Payment]] = {}
        for payment in reversed(self.payments):
            key = key_of(payment)
            if key is not None:
                groups.setdefault(key, []).append(payment)
        return {
            key: replace(self, payments=tuple(reversed(group)), unclaimed=0) for key, group in groups.items()
        }


def account_of(store: Store, role: PartyRole, address: str, token: Token = NATIVE) -> Account:
    """What the store of a party knows of its money in one token."""
    found = accounts_of(store, role, address)
    return next((one for one in found if one.token == token), Account(role, address, token=token))


def accounts_of(store: Store, role: PartyRole, address: str) -> tuple[Account, ...]:
    """What the store of a party knows of its money: in ether, then in each token it has seen."""
    found = [
        _payment(kind, data, at)
        for kind, (event, party, _amount) in _EVENTS.items()
        for data, at in store.facts_named(event)
        if data[party] == address
    ]
    payments = sorted(found, key=lambda payment: payment.at)
    unclaimed: Counter[Token] = Counter()
    for claim in unclaimed_pay(store, address) if role == "data_owner" else ():
        unclaimed[claim.token] += claim.amount
    tokens = sorted({NATIVE, *unclaimed, *(payment.token for payment in payments)})
    return tuple(
        Account(role, address, own, _deals(store, role, own), token, unclaimed[token])
        for token in tokens
        for own in [tuple(payment for payment in payments if payment.token == token)]
    )


@dataclass(frozen=True, slots=True)
class UnclaimedPay:
    """What the contract keeps for an owner of a training that is over, in smallest units of `token`."""

    training: int
    amount: int
    token: Token


def unclaimed_pay(store: Store, owner: str) -> tuple[UnclaimedPay, ...]:
    """What an owner has earned and not been credited, in the order of the trainings.

    Without the request, which the store may have forgotten, the amount is not known: none is told.
    """
    over = {int(data["training"]) for end in _ENDS for data, _at in store.facts_named(end)}
    drawn = {int(data["training"]) for data, _at in store.facts_named("RolesDrawn")}
    claimed = {
        int(data["training"])
        for data, _at in store.facts_named("Credited")
        if data["account"] == owner and data["share"] not in NO_PAY
    }
    found = (_unclaimed(store, training, owner) for training in sorted((over & drawn) - claimed))
    return tuple(one for one in found if one.amount)


def _unclaimed(store: Store, training: int, owner: str) -> UnclaimedPay:
    key = store.key_of(training)
    row = None if key is None else store.instance(key)
    request = None if row is None else cast("Any", decode_state("data_owner", row.state)).request
    story = chain_story(store, training)
    amount = 0 if request is None else paid_to(pay_of(request, story), owner)
    return UnclaimedPay(training, amount, story.token)


def paid_by_training(accounts: Iterable[Account]) -> dict[int, Account]:
    """The movements of each training, which are all in its token."""
    return {number: part for account in accounts for number, part in account.by_training().items()}


def _payment(kind: Kind, data: Mapping[str, Any], at: float) -> Payment:
    amount = int(data[_EVENTS[kind][2]])
    training = None if kind == "withdrawn" else int(data["training"])
    return Payment(
        at=at,
        amount=amount,
        kind=kind,
        training=training,
        share=data.get("share", data.get("fault")),
        block=data.get("block"),
        transaction=data.get("transaction"),
        token=data.get("token", NATIVE),  # earlier versions knew no other
    )


def _deals(store: Store, role: PartyRole, payments: Iterable[Payment]) -> dict[int, Deal]:
    opened = {int(data["training"]): data for data, _at in store.facts_named("Opened")}
    over = {int(data["training"]) for end in _ENDS for data, _at in store.facts_named(end)}
    numbers = {payment.training for payment in payments if payment.training is not None}
    return {
        number: _deal(store, role, number, opened.get(number, {}), is_over=number in over)
        for number in numbers
    }


def _deal(store: Store, role: PartyRole, number: int, opened: Mapping[str, Any], *, is_over: bool) -> Deal:
    key = store.key_of(number)
    row = None if key is None else store.instance(key)
    # The state of a training that is over does not change any more: a page that is live asks again and again.
    name_in = _name_of_ended if row is not None and row.finished else _name_in
    name = "" if row is None else name_in(role, row.state)
    return Deal(key or "", name, opened.get("buyer", ""), opened.get("aggregator", ""), is_over)


def _name_in(role: PartyRole, state: bytes) -> str:
    request = cast("Any", decode_state(role, state)).request
    return "" if request is None else str(request.name)


_name_of_ended = lru_cache(maxsize=1024)(_name_in)


def _sum(payments: Iterable[Payment]) -> int:
    return sum(payment.amount for payment in payments)
