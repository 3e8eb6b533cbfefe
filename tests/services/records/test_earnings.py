"""An account is what the chain's events come to, however they are grouped or written down."""

import csv
import io
from collections import Counter
from contextlib import closing
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.asset import NO_TOKENS, Assets, token_asset
from protocol.marketplace import BondForfeited, Cancelled, Credited, Opened, Settled, Withdrawn
from protocol.payment import earned
from protocol.roles.dispatch import decode_state
from protocol.terms import NATIVE
from services.records import earnings
from services.records.chain_facts import record_key, record_of
from services.records.chain_history import chain_story, pay_of
from services.records.earnings import (
    Account,
    Deal,
    Payment,
    UnclaimedPay,
    account_of,
    accounts_of,
    paid_by_training,
    unclaimed_pay,
)
from services.records.earnings_csv import COLUMNS, earnings_csv
from services.store import Store
from tests.support.console.owner import left_by_its_buyer
from tests.support.console.trainings import BUYER, OWNERS, finished_training, running_training, tell
from tests.support.daemons.service_world import event_of
from tests.support.deployment.documents import KEY_ID, any_request

OWNER, OTHER = OWNERS[:2]
NOVEMBER, DECEMBER = 1_700_000_000.0, 1_702_000_000.0
wei = st.integers(1, 10**27)
payments = st.lists(
    st.builds(
        Payment,
        at=st.sampled_from((NOVEMBER, DECEMBER)),
        amount=wei,
        training=st.integers(1, 3),
        share=st.sampled_from(("contribution", "participation", "validation")),
    )
    | st.builds(Payment, at=st.sampled_from((NOVEMBER, DECEMBER)), amount=wei, kind=st.just("withdrawn")),
    max_size=12,
).map(lambda found: tuple(sorted(found, key=lambda payment: payment.at)))


def account(found: tuple[Payment, ...]) -> Account:
    return Account("data_owner", OWNER, found, {number: Deal() for number in (1, 2, 3)})


@given(payments)
def test_every_way_to_group_an_account_comes_to_the_same(found):
    whole = account(found)
    credited = [payment for payment in found if payment.kind == "credited"]
    assert whole.earned == sum(payment.amount for payment in credited)
    months, trainings = whole.by_month().values(), whole.by_training().values()
    assert sum(month.earned for month in months) == sum(one.earned for one in trainings) == whole.earned
    assert sum(month.paid_out for month in months) == whole.paid_out
    assert sum((Counter(one.shares) for one in trainings), Counter()) == +Counter(whole.shares)
    assert Counter(payment for month in months for payment in month.payments) == Counter(found)
    assert whole.credit == max(0, whole.earned - whole.paid_out)


def test_a_bond_is_no_pay_and_one_that_is_lost_is_told():
    with closing(Store()) as store:
        tell(store, 1, Credited(training=1, account=OWNER, share="validation", amount=10))
        before = account_of(store, "data_owner", OWNER)
        bonds = (
            Credited(training=1, account=OWNER, share="bond", amount=7),
            Credited(training=1, account=OWNER, share="forfeit", amount=5),
            BondForfeited(training=1, account=OWNER, fault="no_reveal", amount=3),
            BondForfeited(training=1, account=OTHER, fault="no_reveal", amount=2),
        )
        for event in bonds:
            tell(store, 1, event)
        after = account_of(store, "data_owner", OWNER)
    assert (after.bonds_returned, after.forfeited) == (7, 3)
    assert after.earned == before.earned + 5, "what others lost is earned"
    assert after.shares == before.shares | {"forfeit": 5}
    assert after.credit == before.credit + 7 + 5
    [lost] = [payment for payment in after.payments if payment.kind == "forfeited"]
    assert (lost.share, lost.amount) == ("no_reveal", 3)


@given(payments)
def test_a_file_has_every_amount_exactly_in_both_units(found):
    rows = list(csv.DictReader(io.StringIO(earnings_csv([account(found)], {}, NO_TOKENS))))
    assert [int(row["amount_units"]) for row in rows] == [payment.amount for payment in found]
    assert all(Decimal(row["amount"]) * 10**18 == int(row["amount_units"]) for row in rows)
    assert not any("e" in row["amount"].lower() for row in rows)
    assert {row["time"][-1] for row in rows} <= {"Z"}


def test_no_name_of_others_is_a_formula_in_a_spreadsheet():
    for name in ("=HYPERLINK(1)", "+1", "-1", "@x", "\t=1", "\n=1", "＝1", "＋1", "－1", "＠x"):
        deals = {1: Deal(name=name, buyer=BUYER)}
        one = Account("data_owner", OWNER, (Payment(NOVEMBER, 1, training=1, share="validation"),), deals)
        (row,) = csv.DictReader(io.StringIO(earnings_csv([one], {BUYER: name}, NO_TOKENS)))
        assert row["name"] == row["buyer_name"] == f"'{name}"


@pytest.fixture
def store():
    with closing(Store()) as made:
        yield made


def test_what_others_got_is_not_the_partys_own(store):
    for owner in (OWNER, OTHER):
        tell(store, 7, Credited(training=7, account=owner, share="validation", amount=5))
    withdrawn = event_of(Withdrawn(account=OWNER, amount=2), 99)
    store.note_once(record_key(None), *record_of(withdrawn), NOVEMBER + 99)
    found = account_of(store, "data_owner", OWNER)
    assert (found.earned, found.paid_out, found.credit) == (5, 2, 3)
    assert found.shares == {"contribution": 0, "participation": 0, "validation": 5}
    rows = list(csv.DictReader(io.StringIO(earnings_csv([found], {}, NO_TOKENS))))
    assert tuple(rows[0]) == COLUMNS
    assert [(row["kind"], row["amount_units"], len(row["transaction"])) for row in rows] == [
        ("credited", "5", 66),
        ("withdrawn", "2", 66),
    ]


def test_what_an_owner_has_not_claimed_is_told_until_it_is_credited(store):
    kept = left_by_its_buyer(store, 5, OWNER)
    left_by_its_buyer(store, 6, OWNER)
    left_by_its_buyer(store, 8, OTHER)
    running_training(store, training=7)
    assert unclaimed_pay(store, "0x" + "57" * 20) == ()
    assert unclaimed_pay(store, OWNER) == tuple(UnclaimedPay(one, kept, NATIVE) for one in (5, 6))
    assert account_of(store, "data_owner", OWNER).unclaimed == 2 * kept
    assert account_of(store, "federated_aggregator", OWNER).unclaimed == 0
    tell(store, 5, Credited(training=5, account=OWNER, share="abandonment", amount=kept))
    found = account_of(store, "data_owner", OWNER)
    assert (found.credit, found.unclaimed) == (kept, kept)
    assert [part.unclaimed for part in found.by_training().values()] == [0]


@pytest.mark.parametrize("share", ["bond", "forfeit"])
def test_pay_is_not_claimed_because_a_bond_came_back_or_fell_to_the_owner(store, share):
    kept = left_by_its_buyer(store, 5, OWNER)
    tell(store, 5, Credited(training=5, account=OWNER, share=share, amount=3))
    assert unclaimed_pay(store, OWNER) == (UnclaimedPay(5, kept, NATIVE),)


def test_what_others_have_not_claimed_is_pay_of_theirs(store):
    """What is on the chain so far says what everybody gets, whoever has claimed."""
    key = running_training(store, training=1)
    request = decode_state("model_buyer", store.instance(key).state).request
    due = pay_of(request, chain_story(store, 1))
    assert due == earned(request, chain_story(store, 1).rounds)
    tell(store, 1, Credited(training=1, account=BUYER, share="refund", amount=5))
    for share in ("contribution", "participation"):
        tell(store, 1, Credited(training=1, account=OWNER, share=share, amount=due[OWNER, share]))
    tell(store, 1, Settled(training=1, improvement=0, paid=5, refund=5))
    assert pay_of(request, chain_story(store, 1)) == {**due, (BUYER, "refund"): 5}


def test_a_buyer_spends_what_does_not_come_back_of_its_deposits(store):
    finished_training(store, training=1, name="first")
    running_training(store, training=2, name="second")
    lost = _opened(3)
    tell(store, 3, lost, Credited(training=3, account=BUYER, share="refund", amount=lost.deposit))
    tell(store, 3, Cancelled(training=3, refund=lost.deposit))
    found = account_of(store, "model_buyer", BUYER)
    deposit = lost.deposit
    assert (found.deposits, found.refunded) == (3 * deposit, deposit + 7 * 10**17)
    assert (found.in_escrow, found.spent) == (deposit, deposit - 7 * 10**17)
    assert found.earned == 0
    assert {number: deal.name for number, deal in found.deals.items()} == {1: "first", 2: "second", 3: ""}
    assert found.deals[1].buyer == BUYER
    assert found.by_training()[1].spent == deposit - 7 * 10**17


def _opened(training):
    wanted = any_request()
    return Opened(
        training=training,
        buyer=BUYER,
        aggregator=wanted.aggregator,
        deposit=wanted.payment.deposit_wei,
        terms=wanted.terms(KEY_ID),
    )


TOKEN, OTHER_TOKEN = "0x" + "70" * 20, "0x" + "71" * 20


def test_each_token_has_an_account_of_its_own(store):
    """The same amounts in other tokens are other money: nothing adds them up."""
    for training, token in ((7, NATIVE), (8, TOKEN), (9, OTHER_TOKEN)):
        tell(
            store,
            training,
            Credited(training=training, account=OWNER, share="validation", token=token, amount=5),
        )
    paid_out = Withdrawn(account=OWNER, token=TOKEN, amount=2)
    store.note_once(record_key(None), *record_of(event_of(paid_out, 99)), NOVEMBER + 99)
    accounts = accounts_of(store, "data_owner", OWNER)
    assert account_of(store, "data_owner", OWNER, TOKEN) == accounts[1]
    assert [(one.token, one.earned, one.paid_out, one.credit) for one in accounts] == [
        (NATIVE, 5, 0, 5),
        (TOKEN, 5, 2, 3),
        (OTHER_TOKEN, 5, 0, 5),
    ]
    assert {number: part.token for number, part in paid_by_training(accounts).items()} == {
        7: NATIVE,
        8: TOKEN,
        9: OTHER_TOKEN,
    }
    rows = csv.DictReader(io.StringIO(earnings_csv(accounts, {}, Assets({TOKEN: token_asset("TEST", 6)}))))
    assert [(row["token"], row["asset"], row["amount_units"], row["amount"]) for row in rows] == [
        (NATIVE, "ETH", "5", "0.000000000000000005"),
        (TOKEN, "TEST", "5", "0.000005"),
        (OTHER_TOKEN, "", "5", ""),
        (TOKEN, "TEST", "2", "0.000002"),
    ]


def test_a_buyer_that_is_refunded_has_spent_nothing_before_its_training_is_told_to_be_over():
    """The refund is credited by an event of its own, just before the one that ends the training."""
    paid = Payment(NOVEMBER, 100, "deposited", training=1)
    for refund, is_over, spent in (
        (0, False, 0),
        (100, False, 0),
        (30, False, 0),
        (30, True, 70),
        (100, True, 0),
    ):
        back = Payment(DECEMBER, refund, training=1, share="refund")
        found = Account("model_buyer", BUYER, (paid, back), {1: Deal(is_over=is_over)})
        assert found.spent == spent
        assert found.deposits == found.refunded + found.in_escrow + found.spent


def test_an_account_is_short_where_it_is_printed_as_a_value():
    many = tuple(Payment(NOVEMBER, 1, training=1, share="validation") for _ in range(1000))
    assert repr(account(many)) == f"<Account of data_owner {OWNER}: 1000 movements of 3 trainings>"


def test_the_states_of_trainings_that_are_over_are_read_once(store, monkeypatch):
    """A live page asks for the account with each change of the store."""
    finished_training(store)
    read = []
    monkeypatch.setattr(earnings, "decode_state", lambda *state: read.append(state) or decode_state(*state))
    earnings._name_of_ended.cache_clear()
    names = [account_of(store, "model_buyer", BUYER).deals for _ in range(3)]
    assert len(read) == 1
    assert names[0] == names[1] == names[2] != {}
