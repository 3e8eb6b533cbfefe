"""A whole market in this process: what a training would come to, on tables that are all at hand."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from deltaml.arrow_tables import Table, data_set_of
from deltaml.requests import Document, request_of
from deltaml.results import Participation, TrainingRound, errors_of, participations_of, rounds_of
from deltaml.running import run
from protocol.asset import MARKET_ASSET
from protocol.bought_model import BoughtModel
from protocol.errors import MisuseError
from protocol.learning.inference.estimates import Coefficient
from protocol.owner_policy import Budget
from protocol.payment import check_deposit, least_deposit
from protocol.request import Request
from protocol.request_sections import Owners
from protocol.roles.owner.budget import most_numbers
from protocol.roles.rounds.requests import check_checkable
from protocol.roles.shared.request_widths import check_widths
from protocol.terms import NATIVE
from services.data.request_suggestion import NOBODY
from services.data.sample_request import DemoOptions
from services.observability.logging import configure_for_library
from services.records.chain_history import chain_story
from services.records.folds import FoldErrors, fold_errors_of
from services.records.penalties import Penalty, penalties_of
from services.records.stored_inference import bought_inference, coefficient_table, why_missing
from services.sandbox.demo import LEAST_DEMO_KEY_BITS, check_options, train
from services.sandbox.local_market import LocalMarket
from services.store import InstanceRow

if TYPE_CHECKING:
    from deltaml.classifier import BoughtClassifier
    from deltaml.regressor import BoughtRegressor


@dataclass(frozen=True)
class Simulation:
    """A training that has ended. Errors are mean squared errors in the target's units, amounts are wei.

    `owners` tells of each table what its owner did and earned; `errors` are before the first round and after
    each; `aggregator_pay` and `refund`, which the buyer gets back, make up the deposit with the owners' pay.
    Of a request with `inference` `coefficients` has each weight's standard error, 95 % interval and p-value;
    where there are none `no_coefficients` says why. Of a request with a path of l2 `penalties` has each λ's
    least error, and which one was chosen. Of one with `schedule.folds` `folds` has each fold's error, their
    mean and deviation; the first error of each later fold is that round's `error_before`.
    """

    request: Request = field(repr=False)
    bought: BoughtModel = field(repr=False)
    rounds: tuple[TrainingRound, ...]
    errors: tuple[float, ...]
    owners: Mapping[str, Participation]
    aggregator_pay: int
    refund: int
    coefficients: tuple[Coefficient, ...] = field(default=(), repr=False)
    no_coefficients: str = ""
    penalties: tuple[Penalty, ...] = ()
    folds: FoldErrors | None = None

    @cached_property
    def model(self) -> "BoughtRegressor | BoughtClassifier":
        """What the buyer holds now, as a scikit-learn estimator; needs the extra `deltaml[python]`."""
        from deltaml.regressor import estimator_of  # noqa: PLC0415

        return estimator_of(self.bought)

    @property
    def payments(self) -> dict[str, int]:
        """What each owner earned, by table."""
        return {name: owner.pay for name, owner in self.owners.items()}


def simulate(
    request: Document, tables: Mapping[str, Table], *, key_bits: int | None = None, workers: int = 0
) -> Simulation:
    """Train on tables at hand, as a market of one owner for each table would, and settle the pay.

    `tables` are four at least, by the owners' names: of pandas, polars, Arrow or anything with its stream.
    Of `request` a document of fields may leave out aggregator and payment; both are this market's own. No
    more owners are waited for than there are tables. The chain draws who trains and who validates, so two
    simulations differ. `key_bits` replaces the request's: nothing leaves this process, so a short key (1024
    at least) only makes it faster. `workers` are processes for the arithmetic; a script that asks for some
    must run under `if __name__ == "__main__":`.

    Raises MisuseError for a request or a number of tables that cannot be used, DataSetError for a table, and
    ServiceError with the reason when the training fails.

    >>> import deltaml
    >>> import numpy as np
    >>> import pandas as pd
    >>> random = np.random.default_rng(1)
    >>> def flats():
    ...     rooms, metres = random.integers(1, 6, 50), random.uniform(20, 150, 50)
    ...     return pd.DataFrame({"rooms": rooms, "metres": metres, "rent": 200 + 50 * rooms + 10 * metres})
    >>> request = {
    ...     "name": "rents",
    ...     "features": [
    ...         {"name": "rooms", "minimum": 1, "maximum": 5},
    ...         {"name": "metres", "minimum": 20, "maximum": 150},
    ...     ],
    ...     "target": {"name": "rent", "minimum": 400, "maximum": 2000},
    ...     "schedule": {"rounds": 1},
    ... }
    >>> towns = {name: flats() for name in ("Bonn", "Graz", "Linz", "Ulm")}
    >>> outcome = deltaml.simulate(request, towns, key_bits=1024)
    >>> outcome.model.coef_.round().tolist()
    [50.0, 10.0]
    >>> sum(outcome.payments.values()) + outcome.aggregator_pay + outcome.refund
    1000000000000000000
    """
    return run(simulate_async(request, tables, key_bits=key_bits, workers=workers))


async def simulate_async(
    request: Document, tables: Mapping[str, Table], *, key_bits: int | None = None, workers: int = 0
) -> Simulation:
    """As `simulate`, for callers with a loop of their own; it holds the loop while `workers` is zero."""
    wanted = _simulated(request, len(tables), key_bits)
    data_sets = {name: data_set_of(name, table, wanted) for name, table in tables.items()}
    enough = most_numbers(wanted)
    configure_for_library()
    deposit = wanted.payment.deposit_wei
    options = DemoOptions(owners=len(tables), key_bits=wanted.key_bits, deposit=deposit, workers=workers)
    budget = Budget(per_buyer=enough, in_total=enough)
    async with LocalMarket(data_sets, options, least_key_bits=LEAST_DEMO_KEY_BITS, budget=budget) as market:
        wanted = wanted.model_copy(update={"aggregator": market.aggregator.identity.address})
        row, bought = await train(market, wanted)
        return _outcome(market, wanted, row, bought, list(tables))


def coefficients_of(
    market: LocalMarket, request: Request, row: InstanceRow
) -> tuple[tuple[Coefficient, ...], str]:
    """(the lines, why there are none): both are empty where the request does not ask for them."""
    found = bought_inference(market.buyer.store, row) if request.inference else None
    if found is None:
        return (), ""
    if found.missing is not None:
        return (), why_missing(found)
    return coefficient_table(market.buyer.store, row).lines, ""


def _simulated(document: Document, owners: int, key_bits: int | None) -> Request:
    """The request as this market can carry it out; checked before anything starts."""
    if isinstance(document, Mapping):
        document = {"aggregator": NOBODY, "payment": {"deposit_wei": str(MARKET_ASSET.whole)}, **document}
    request = request_of(document)
    if request.payment.token != NATIVE:
        raise MisuseError("a simulation pays in ether, which costs nothing here: leave payment.token out")
    if request.payment.bonds is not None:
        raise MisuseError(
            "nobody deposits a bond in a simulation, where all are honest: leave payment.bonds out"
        )
    if owners < request.owners.minimum:
        folds = request.schedule.folds
        who = "two validate in each fold" if folds > 1 else "two train, two validate"
        raise MisuseError(
            f"{owners} tables; the request asks for {request.owners.minimum} owners at least: give more "
            f"tables, or lower owners.minimum (to {max(4, 2 * folds)} at least: {who})"
        )
    most = min(request.owners.maximum, owners)
    changes = {
        "owners": Owners(minimum=request.owners.minimum, maximum=most),
        "key_bits": request.key_bits if key_bits is None else key_bits,
    }
    request = request.model_copy(update=changes)
    check_options(DemoOptions(owners=owners, key_bits=request.key_bits))
    check_widths(request)
    check_checkable(request)
    check_deposit(request, f"give payment.deposit_wei: {least_deposit(request)} or more")
    return request


def _outcome(
    market: LocalMarket, request: Request, row: InstanceRow, bought: BoughtModel, tables: Sequence[str]
) -> Simulation:
    story = chain_story(market.buyer.store, row.training)
    addresses = [owner.identity.address for owner in market.owners]
    names = dict(zip(addresses, tables, strict=True))
    parts = participations_of(story, request, names)
    aggregator = parts.pop(request.aggregator)
    rounds = rounds_of(story, request, names)
    coefficients, none = coefficients_of(market, request, row)
    return Simulation(
        request=request,
        bought=bought,
        rounds=rounds,
        errors=errors_of(rounds),
        owners=parts,
        aggregator_pay=aggregator.pay,
        refund=story.credited[market.buyer.identity.address, "refund"],
        coefficients=coefficients,
        no_coefficients=none,
        penalties=penalties_of(request, story),
        folds=fold_errors_of(request, story),
    )
