"""The card of a bought model: what it is, how good, of whom, and what proves it. All of it is public.

Neither weights nor anything about owners' rows is on it beyond what the training has published; of rows of
the buyer's own the scores, where it had the model scored on enough of them.
"""

from collections.abc import Iterator, Mapping
from math import sqrt
from types import MappingProxyType
from typing import Any, Literal

from pydantic import Field

from protocol.asset import NO_TOKENS, Asset, Assets, token_asset
from protocol.records import FIXED_POINT, Market
from protocol.request import Request
from protocol.request_sections import StartMean, StartMeans
from protocol.requirements import mismatches
from protocol.ridge_path import ridge_of
from protocol.terms import NATIVE, Token
from protocol.types import Address, FrozenModel, Name
from services.common.errors import ConfigurationError
from services.data.own_scores import OwnScores
from services.records.buyer_training import buyer_state
from services.records.chain_history import ChainStory, chain_story, partners
from services.records.convergence import Convergence, convergence_of
from services.records.folds import FoldErrors, fold_errors_of
from services.records.offers import ToldOffer, told_offers
from services.records.own_scores import kept_scores
from services.records.penalties import Penalty, penalties_of
from services.store import InstanceRow, Store

_NOBODY: Mapping[str, str] = MappingProxyType({})


class CardParticipant(FrozenModel):
    """An owner or the aggregator: its contribution as a share of the gains, its pay in smallest units."""

    address: Address
    role: str
    rounds: int
    contribution: float | None
    pay_wei: str


class CardDataSet(FrozenModel):
    """A data set that a participant lists and that serves the request; `told_at` in seconds since 1970."""

    owner: Address
    data_set: str
    hash: str
    told_at: int


class CardRound(FrozenModel):
    """The error on the validators' rows after a round, in the target's own units; round 0 is the start."""

    round: int
    mse: float
    rmse: float
    share_of_start_error_removed: float
    ridge: str | None = None
    """λ, of a round of a path of them."""


class CardTransaction(FrozenModel):
    """One event of the contract; `at` in seconds since 1970."""

    event: str
    block: int
    transaction: str
    at: float


class ModelCard(FrozenModel):
    """The whole card; amounts as text, in wei, or in smallest units of `token` where that is not zero.

    `token_symbol` and `token_decimals` are what the buyer has configured, "" and 0 where it has not.
    `names` are the buyer's own for the parties on the card, by address.
    `share_of_start_error_removed` is 1 − MSE/MSE of the first model: R² with that public model in the place
    of the mean of the validators' targets, which nobody publishes. `data_sets` are what the participants
    list, as the aggregator told the buyer last: which of several an owner took part with nobody is told. The
    model, and so the errors of the card, are those of `delivered_round`; with `folds` the rounds are those of
    the last one, and mean and deviation are over all. `own_scores` are on rows of the
    buyer's own, by its word alone.
    """

    card_version: Literal[1] = 1
    training: int
    name: str
    kind: str
    intended_use: str
    licence: str
    request: dict[str, Any]
    request_hash: str
    chain_hash: str | None
    market: Market | None
    names: dict[Address, Name] = Field(default_factory=dict)
    buyer: Address | None
    participants: tuple[CardParticipant, ...]
    data_sets: tuple[CardDataSet, ...] = ()
    first_model: str
    first_value: str | None
    rounds: tuple[CardRound, ...]
    delivered_round: int
    mse: float
    rmse: float
    share_of_start_error_removed: float
    convergence: Convergence
    penalties: tuple[Penalty, ...] = ()
    folds: FoldErrors | None = None
    own_scores: OwnScores | None = None
    token: Token = NATIVE
    token_symbol: str = ""
    token_decimals: int = 0
    deposit_wei: str
    paid_wei: str
    returned_wei: str
    transactions: tuple[CardTransaction, ...]

    @property
    def asset(self) -> Asset:
        """What amounts are in."""
        known = {self.token: token_asset(self.token_symbol, self.token_decimals)} if self.token_symbol else {}
        return Assets(known).of(self.token)


def model_card(
    store: Store,
    instance: InstanceRow,
    market: Market | None = None,
    names: Mapping[str, str] = _NOBODY,
    assets: Assets = NO_TOKENS,
) -> ModelCard:
    """The card of a training's model, out of its buyer's store, with the buyer's own `names` and `assets`.

    Raises ConfigurationError where the store has no model of it.
    """
    state = buyer_state(instance)
    if state is None or store.result(instance.key, "model") is None:
        raise ConfigurationError(
            f"this store has no model of {instance.key}, so no card either: only its buyer's store has them, "
            "once the training has finished"
        )
    offers = told_offers(store, state.request.aggregator)
    card = card_of(state.request, chain_story(store, instance.training), market, offers)
    parties = {card.buyer, *(one.address for one in card.participants)}
    known = {address: name for address, name in names.items() if address in parties}
    token = assets.tokens.get(card.token)
    told = {} if token is None else {"token_symbol": token.symbol, "token_decimals": token.decimals}
    kept = kept_scores(store, instance.key)
    scores = {"own_scores": None if kept is None else kept.published()}
    return card.model_copy(update={"names": known, **scores, **told})


def card_of(
    request: Request,
    story: ChainStory,
    market: Market | None = None,
    offers: Mapping[str, ToldOffer] = MappingProxyType({}),
) -> ModelCard:
    """The card of what was asked for, what the chain tells, and what its owners offer.

    Raises ConfigurationError before the end.
    """
    state, settled = convergence_of(request, story), story.settled
    if state is None or settled is None:
        raise ConfigurationError("the training is not settled yet: its card is there when its model is")
    rounds = _rounds(request, story)
    delivered = next(one for one in rounds if one.round == story.delivered_round)
    opened = next((entry for entry in story.transactions if entry.event == "Opened"), None)
    return ModelCard(
        training=int(settled["training"]),
        name=request.name,
        kind=request.model.kind,
        intended_use=request.purpose,
        licence=request.licence,
        request=request.model_dump(mode="json"),
        request_hash=f"0x{request.hash().hex()}",
        chain_hash=story.request_hash,
        market=market,
        buyer=None if opened is None else opened.about["buyer"],
        participants=_participants(request, story),
        data_sets=tuple(_data_sets(request, story, offers)),
        first_model=request.start.start,
        first_value=_declared_mean(request),
        rounds=rounds,
        delivered_round=delivered.round,
        mse=delivered.mse,
        rmse=delivered.rmse,
        share_of_start_error_removed=delivered.share_of_start_error_removed,
        convergence=state,
        penalties=penalties_of(request, story),
        folds=fold_errors_of(request, story),
        token=request.payment.token,
        deposit_wei=str(request.payment.deposit_wei),
        paid_wei=str(settled["paid"]),
        returned_wei=str(settled["refund"]),
        transactions=tuple(
            CardTransaction(event=one.event, block=one.block, transaction=one.transaction, at=one.at)
            for one in story.transactions
        ),
    )


def _rounds(request: Request, story: ChainStory) -> tuple[CardRound, ...]:
    recorded = story.last_fold(request)
    first = recorded[0].mse_before
    errors = [(recorded[0].number - 1, first), *((made.number, made.mse_after) for made in recorded)]
    unit = float(request.error_unit)
    return tuple(
        CardRound(
            round=number,
            mse=unit * error / FIXED_POINT,
            rmse=sqrt(unit * error / FIXED_POINT),
            share_of_start_error_removed=1 - error / first if first else 0.0,
            ridge=_ridge(request, number),
        )
        for number, error in errors
    )


def _ridge(request: Request, number: int) -> str | None:
    if number == 0 or len(request.model.ridges) == 1:
        return None
    return f"{ridge_of(request.model, request.schedule, number):f}"


def _declared_mean(request: Request) -> str | None:
    """The buyer's, of several targets all of theirs; None where it declared none."""
    match request.start:
        case StartMean(value=value):
            return f"{value:f}"
        case StartMeans(values=values):
            return ", ".join(f"{value:f}" for value in values)
    return None


def _data_sets(request: Request, story: ChainStory, offers: Mapping[str, ToldOffer]) -> Iterator[CardDataSet]:
    for owner in (*story.trainers, *story.validators):
        offer = offers.get(owner)
        if offer is None:
            continue
        for one in offer.cards:
            if not mismatches(request, one.card):
                yield CardDataSet(
                    owner=owner, data_set=one.card.name, hash=f"0x{one.hash.hex()}", told_at=offer.at
                )


def _participants(request: Request, story: ChainStory) -> tuple[CardParticipant, ...]:
    return tuple(
        CardParticipant(
            address=one.address,
            role=one.role,
            rounds=one.rounds,
            contribution=one.contribution,
            pay_wei=str(one.pay),
        )
        for one in partners(request, story)
    )
