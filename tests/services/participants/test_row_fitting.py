"""Where an owner's rows are read once more, and where they are not."""

from pathlib import Path

import pytest

from protocol.codec import unpack
from protocol.data_set import DataSet
from protocol.learning.statistic import Statistic
from protocol.messages import OwnerDecision
from protocol.owner_policy import Budget, OwnerPolicy
from protocol.roles.dispatch import early_inputs
from protocol.roles.engine.inputs import EventConfirmed, Input, MessageReceived, PolicyChanged
from protocol.roles.engine.state import replace
from protocol.roles.owner.state import UndecidedState
from services.data.catalog import Catalog
from services.data.row_reader import read_statistic
from services.participants.row_fitting import fitted_statistic, joined_request, names_to_fit
from tests.support.deployment.documents import any_request
from tests.support.generalized import NAMES, request_of, rows_of, statistic_of, table_of
from tests.support.roles.checked_markets import checked_market
from tests.support.roles.pure_contract import TRAINING
from tests.support.roles.pure_market import PureMarket
from tests.support.roles.pure_party import Party, make_data_set

KIND = "gamma_regression"


async def fit_of(data_set: DataSet, catalog: Catalog | None = None) -> Statistic:
    return await fitted_statistic(request_of(KIND, bounds={"min_rows": 5}), "rows", data_set, catalog)


async def test_rows_in_memory_are_fitted() -> None:
    rows = rows_of(KIND)
    data_set = make_data_set(statistic_of(rows))._replace(tables=lambda: [table_of(rows)])
    assert (await fit_of(data_set)).fitted is not None


async def test_rows_in_the_file_that_the_catalogue_names_are_fitted(tmp_path: Path) -> None:
    file, catalog = tmp_path / "rows.csv", Catalog(tmp_path / "datasets")
    lines = [",".join(NAMES), *(",".join(map(repr, row)) for row in rows_of(KIND, 40).tolist())]
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    catalog.add("rows", read_statistic(file), file, card=make_data_set(read_statistic(file)).card)
    data_set = catalog.all()["rows"]
    assert (await fit_of(data_set, catalog)).fitted is not None
    file.unlink()
    assert (await fit_of(data_set, catalog)).fitted is None


async def test_rows_that_are_not_at_hand_or_are_others_are_not_fitted() -> None:
    """The step says then that the data set does not serve, and the training starts without this owner."""
    rows = rows_of(KIND)
    data_set = make_data_set(statistic_of(rows))
    assert (await fit_of(data_set)).fitted is None
    assert (await fit_of(data_set._replace(tables=lambda: [table_of(rows[1:])]))).fitted is None


async def test_no_row_is_read_for_a_request_that_needs_none() -> None:
    def looked_at() -> list[object]:
        raise AssertionError("rows were looked at")

    data_set = make_data_set(statistic_of(rows_of(KIND)))._replace(tables=looked_at)  # type: ignore[arg-type]
    found = await fitted_statistic(any_request(), "rows", data_set, None)
    assert found is data_set.statistic
    narrow = request_of(KIND, features=[{"name": "a", "minimum": 0, "maximum": 1}])
    assert (await fitted_statistic(narrow, "rows", data_set, None)).fitted is None


Asked = tuple[PureMarket, Party, UndecidedState, MessageReceived]


@pytest.fixture(scope="module")
def invited() -> Asked:
    """A market, an owner that knows the opening, its state, and the invitation about to arrive."""
    market = checked_market([2, 3], owners=4)
    owner = market.owners[0]
    asked = MessageReceived(signed=market.run_until("invitation", owner))
    state = owner.decoded
    assert isinstance(state, UndecidedState)
    return market, owner, state, asked


def test_rows_are_fitted_for_the_request_of_an_invitation_once_the_deposit_is_paid(invited: Asked) -> None:
    market, _, state, asked = invited
    assert state.opened is not None
    assert joined_request(state, asked) == market.request
    assert joined_request(state, PolicyChanged()) is None
    assert joined_request(replace(state, opened=None), asked) is None


def test_an_invitation_that_came_before_the_opening_is_joined_with_it() -> None:
    market = checked_market([2, 3], owners=4)
    owner = market.owners[0]
    late = EventConfirmed(chain_event=next(one.chain_event for one in openings(market)))
    market.pending = [one for one in market.pending if one[0] != owner.address]
    asked = MessageReceived(signed=market.run_until("invitation", owner))
    market.deliver(owner, asked)
    assert owner.state is not None
    state, early = owner.decoded, early_inputs(owner.state, "invitation", owner.blobs)
    assert early == (asked,)
    assert joined_request(state, late, early) == market.request
    assert joined_request(state, late) is None


def openings(market: PureMarket) -> list[EventConfirmed]:
    """Those under way to somebody."""
    while True:
        found = [item for _, item in market.pending if isinstance(item, EventConfirmed)]
        if found:
            return found
        market.deliver_next()


def test_rows_are_fitted_only_of_what_the_policy_joins_with(invited: Asked) -> None:
    """Else an owner that declines would tell by its time how many rows it has."""
    market, owner, state, asked = invited

    def names(policy: OwnerPolicy, item: Input = asked) -> frozenset[str]:
        return names_to_fit(state, item, market.request, policy, owner.private)

    accepting = unpack(OwnerPolicy, owner.policy)
    assert names(accepting) == {"rows"}
    assert not names(replace(accepting, automatic=False))
    assert not names(replace(accepting, budget=Budget(per_buyer=1, in_total=1)))


@pytest.mark.parametrize(("accept", "found"), [(True, {"rows"}), (False, set())])
def test_a_persons_decision_has_rows_fitted_where_it_accepts(
    invited: Asked, accept: bool, found: set[str]
) -> None:
    market, owner, state, _ = invited
    decision = market.message(owner, owner, OwnerDecision(training=TRAINING, accept=accept, data_set="rows"))
    item = MessageReceived(signed=decision)
    assert names_to_fit(state, item, market.request, OwnerPolicy(), owner.private) == found
