"""A buyer or an owner in Python: what its daemon has stored, and orders to it."""

from collections.abc import Sequence
from functools import partial
from os import PathLike
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Generic, Literal, Self, TypeVar

from deltaml.offers import Offers
from deltaml.requests import Document, request_of
from deltaml.running import run
from deltaml.trainings import AsyncTraining, StoredTraining, Training
from protocol.errors import MisuseError
from protocol.marketplace import PartyRole
from protocol.messages import Message, OwnerDecision, StopOrder, TrainingOrder, WithdrawOrder
from protocol.roles.buyer.ordering import check_order
from protocol.terms import NATIVE, Token
from services.common.errors import ConfigurationError
from services.config.daemons import DataOwnerConfig, ModelBuyerConfig, load
from services.data.request_suggestion import NOBODY
from services.identity.keystore import public_identity
from services.identity.operator_orders import Order, send_order
from services.observability.logging import configure_for_library
from services.records.earnings import Account, account_of, accounts_of
from services.records.earnings_csv import earnings_csv
from services.records.market_offers import ListedCard, MarketColumn, Match, columns_of, listed_by, match
from services.records.order_answers import await_answer, require_accepted
from services.records.stored_trainings import find_instance
from services.store import Store

ConfigPath = str | PathLike[str]
ANSWER_SECONDS = 30.0
_Training = TypeVar("_Training", bound=StoredTraining)


class Participant(Generic[_Training]):
    """A participant by its daemon's configuration; a context that closes its store.

    What it has stored is read beside its daemon, which may be running; orders reach that over the broker.
    """

    _role: ClassVar[PartyRole]
    _kind: ClassVar[Literal["model-buyer", "data-owner"]]
    _training_type: type[_Training]

    def __init__(
        self, config: ConfigPath, order: Order | None = None, *, answer_seconds: float = ANSWER_SECONDS
    ) -> None:
        """`config` is the daemon's file; `order` another way to the daemon than its broker.

        An order waits so many seconds for the daemon's answer; with 0 only until it is on its way.

        Raises ConfigurationError for a file, a key store or a store that cannot be used, StoreUnavailable
        when the database does not answer.
        """
        configure_for_library()
        self._config = Path(config)
        settings = load(self._config, self._kind)
        self.address = public_identity(settings.keystore).address
        self._names, self._assets = settings.names, settings.assets
        self._order = partial(send_order, settings, self._role) if order is None else order
        self._answer_seconds = answer_seconds
        self._store = Store(settings.store, password=settings.store_password(), existing=True)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.address}>"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Release the store."""
        self._store.close()

    def trainings(self) -> list[_Training]:
        """All that the daemon knows of, the oldest change first."""
        return [self._training_of(row.key) for row in self._store.instances()]

    def training(self, training: int | str) -> _Training:
        """One by its number, or by its key; raises ConfigurationError where there is none."""
        return self._training_of(find_instance(self._store, str(training)).key)

    def earnings(self, token: Token = NATIVE) -> Account:
        """What was earned, or spent, in a token as the chain has confirmed it, in its smallest units.

        Without a token that is ether, in wei. An owner `earned`, `shares` tells for what; a buyer `spent`.
        `paid_out` is what was withdrawn and `credit` what the contract still holds; `by_training()` and
        `by_month()` give the same for each.
        """
        return account_of(self._store, self._role, self.address, token)

    def earnings_csv(self) -> str:
        """Every movement as CSV, as `deltaml earnings --csv` writes it."""
        accounts = accounts_of(self._store, self._role, self.address)
        return earnings_csv(accounts, self._names, self._assets)

    async def _give(self, body: Message, training: int = 0) -> bytes:
        """Order, and wait for the answer; returns the order's message id.

        Raises BusError when the broker does not take it, MisuseError with the reason when the daemon refuses
        it, and OrderUnanswered when it has not answered in time.
        """
        message_id = await self._order(body, training)
        if self._answer_seconds:
            answer = await await_answer(self._store, message_id, self._answer_seconds)
            require_accepted(answer, self._answer_seconds)
        return message_id

    def _training_of(self, key: str) -> _Training:
        return self._training_type(self._store, self._role, key)


class BuyerOrders(Participant[_Training]):
    """What a model buyer's operator may order, and what is on offer."""

    _role, _kind = "model_buyer", "model-buyer"

    async def _train(self, document: Document) -> _Training:
        request = request_of(document)
        check_order(request)
        if any(training.request == request for training in self.trainings()):
            raise MisuseError("exactly this request was ordered before: change its name to train it again")
        message_id = await self._give(TrainingOrder(request=request))
        return self._training_of(f"order:{message_id.hex()}")

    async def _stop(self, training: int, reason: str) -> None:
        await self._give(StopOrder(training=training, reason=reason), training)

    async def _match(self, document: Document, aggregators: Sequence[str], *, stored: bool) -> Match:
        request = request_of(document)
        own = None if request.aggregator == NOBODY else request.aggregator
        told = await self._offers.told_by(aggregators, own, stored=stored)
        return match(request, self._store, told)

    async def _cards(self, aggregators: Sequence[str], *, stored: bool) -> tuple[ListedCard, ...]:
        told = await self._offers.told_by(aggregators, None, stored=stored)
        return listed_by(self._store, told)

    @property
    def _offers(self) -> Offers:
        settings = load(self._config, "model-buyer")
        return Offers(self._store, settings, self._config, self._give, self._answer_seconds)


class Buyer(BuyerOrders[Training]):
    """A model buyer."""

    _training_type = Training

    def order(self, request: Document) -> Training:
        """Have a model trained: `request` is a document, or the path of one.

        Raises MisuseError for a request that is wrong, was ordered before or is refused by the daemon,
        BusError when the broker does not take the order, OrderUnanswered when the daemon does not answer.
        """
        return run(self._train(request))

    def stop(self, training: int, reason: str = "stopped by its operator") -> None:
        """Have a training ended; what was recorded is settled. Raises as `order` does."""
        run(self._stop(training, reason))

    def match(self, request: Document, *, aggregators: Sequence[str] = (), stored: bool = False) -> Match:
        """How many owners a request would reach by the cards that they list, and why not the others.

        The request's own aggregator is asked, by the daemon, unless others are named by address or by the
        configuration's name for them, or it answered within a minute; with `stored` nobody is. Of one that
        does not answer in time a SilentAggregatorWarning tells, and what it told before counts. Raises
        ConfigurationError where no aggregator is named, and as `order` does.

        >>> import deltaml
        >>> with deltaml.connect("model-buyer.yaml") as buyer:
        ...     found = buyer.match("request.yaml")
        >>> print(f"{len(found.reached)} of {found.owners} owners; enough: {found.is_enough}")
        3 of 4 owners; enough: False
        >>> for one in found.cards:
        ...     print(one.listed.card.name, *(one.reasons or ["serves"]))
        north serves
        south serves
        west serves
        east no column 'progression'
        """
        return run(self._match(request, aggregators, stored=stored))

    def cards(self, *, aggregators: Sequence[str] = (), stored: bool = False) -> tuple[ListedCard, ...]:
        """The cards of the data sets that owners list, by owner and name; asks, warns and raises as `match`.

        Without a request, the configuration's aggregators are asked.
        """
        return run(self._cards(aggregators, stored=stored))

    def columns(self, *, aggregators: Sequence[str] = (), stored: bool = False) -> tuple[MarketColumn, ...]:
        """The columns of those cards, with kind, unit and range, those of most owners first; see `cards`.

        >>> import deltaml
        >>> with deltaml.connect("model-buyer.yaml") as buyer:
        ...     for column in buyer.columns():
        ...         print(column.name, column.kind, column.ends, column.owners)
        age numeric ('18', '90') 4
        bmi numeric ('15', '50') 4
        progression numeric ('20', '350') 3
        """
        return columns_of(self.cards(aggregators=aggregators, stored=stored))


class AsyncBuyer(BuyerOrders[AsyncTraining]):
    """A model buyer, for callers with a loop."""

    _training_type = AsyncTraining

    async def order(self, request: Document) -> AsyncTraining:
        """As `Buyer.order`."""
        return await self._train(request)

    async def stop(self, training: int, reason: str = "stopped by its operator") -> None:
        """As `Buyer.stop`."""
        await self._stop(training, reason)

    async def match(
        self, request: Document, *, aggregators: Sequence[str] = (), stored: bool = False
    ) -> Match:
        """As `Buyer.match`."""
        return await self._match(request, aggregators, stored=stored)

    async def cards(self, *, aggregators: Sequence[str] = (), stored: bool = False) -> tuple[ListedCard, ...]:
        """As `Buyer.cards`."""
        return await self._cards(aggregators, stored=stored)

    async def columns(
        self, *, aggregators: Sequence[str] = (), stored: bool = False
    ) -> tuple[MarketColumn, ...]:
        """As `Buyer.columns`."""
        return columns_of(await self._cards(aggregators, stored=stored))


class OwnerOrders(Participant[_Training]):
    """What a data owner's operator may order."""

    _role, _kind = "data_owner", "data-owner"

    async def _decide(self, decision: OwnerDecision) -> None:
        await self._give(decision, decision.training)

    async def _withdraw(self, token: Token, to: str | None) -> None:
        await self._give(WithdrawOrder(token=token, to=to))


class Owner(OwnerOrders[Training]):
    """A data owner."""

    _training_type = Training

    def accept(self, training: int, *, data_set: str | None = None, beyond_budget: bool = False) -> None:
        """Join a training that waits for a decision, if need be with this data set or beyond its budget.

        Raises MisuseError with the reason when the daemon refuses, BusError when the broker does not take the
        order, OrderUnanswered when the daemon does not answer.
        """
        run(self._decide(_acceptance(training, data_set, beyond_budget=beyond_budget)))

    def decline(self, training: int) -> None:
        """Decline a training that waits for a decision; raises as `accept` does."""
        run(self._decide(OwnerDecision(training=training, accept=False)))

    def withdraw(self, token: Token = NATIVE, to: str | None = None) -> None:
        """Have the contract pay the credit in a token out, `to` another account if one is named.

        Both are addresses in lower case. Raises as `accept` does.
        """
        run(self._withdraw(token, to))


class AsyncOwner(OwnerOrders[AsyncTraining]):
    """A data owner, for callers with a loop."""

    _training_type = AsyncTraining

    async def accept(
        self, training: int, *, data_set: str | None = None, beyond_budget: bool = False
    ) -> None:
        """As `Owner.accept`."""
        await self._decide(_acceptance(training, data_set, beyond_budget=beyond_budget))

    async def decline(self, training: int) -> None:
        """As `Owner.decline`."""
        await self._decide(OwnerDecision(training=training, accept=False))

    async def withdraw(self, token: Token = NATIVE, to: str | None = None) -> None:
        """As `Owner.withdraw`."""
        await self._withdraw(token, to)


def _acceptance(training: int, data_set: str | None, *, beyond_budget: bool) -> OwnerDecision:
    return OwnerDecision(training=training, accept=True, data_set=data_set, beyond_budget=beyond_budget)


def connect(config: ConfigPath) -> Buyer | Owner:
    """The buyer or the owner whose daemon has this configuration: its trainings, orders, models, earnings.

    Raises ConfigurationError for a file that is neither's or cannot be used, and as `Participant` does.

    >>> import deltaml
    >>> with deltaml.connect("model-buyer.yaml") as buyer:
    ...     for training in buyer.trainings():
    ...         print(training.number, training.status, [round(error) for error in training.errors])
    1 FINISHED [6000, 5400, 4860, 4374]
    """
    return Buyer(config) if _is_buyer(config) else Owner(config)


def connect_async(config: ConfigPath) -> AsyncBuyer | AsyncOwner:
    """As `connect`; what waits is awaited: orders, and `watch` and `wait` of trainings."""
    return AsyncBuyer(config) if _is_buyer(config) else AsyncOwner(config)


def _is_buyer(config: ConfigPath) -> bool:
    settings = load(Path(config))
    if not isinstance(settings, ModelBuyerConfig | DataOwnerConfig):
        raise ConfigurationError(
            f"{config} configures the daemon {settings.daemon}; give the file of a model-buyer or data-owner"
        )
    return isinstance(settings, ModelBuyerConfig)
