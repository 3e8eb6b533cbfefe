"""The policy and the budgets as forms: what they show, what they order, what they refuse."""

from unicodedata import normalize

import pytest

from protocol.codec import pack
from protocol.messages import PolicyOrder
from protocol.owner_policy import Budget, Limit, OwnerPolicy, TokenPay
from services.console.owner.account_views import BudgetLine, budget_lines
from services.console.owner.policy_form import form_of, limit_of, read
from services.records.owner_account import ORDERED_POLICY
from tests.support.console.owner import BUYER, add_rows, count, ordered
from tests.support.console.world import Browser

FULL = OwnerPolicy(
    automatic=True,
    buyers=(BUYER,),
    model_kinds=("linear_regression",),
    columns=("age", "bmi"),
    data_sets=("rows",),
    minimum_pay_wei=25 * 10**16,
    most_bond_wei=10**15,
    tokens=(TokenPay(token="0x" + "70" * 20, minimum_pay=7, most_bond=3), TokenPay(token="0x" + "71" * 20)),
    minimum_reveal_s=604_800,
    standard_errors=True,
    withdraw=False,
    budget=Budget(per_buyer=3, limits=(Limit(data_set="rows", numbers=9),)),
)


@pytest.mark.parametrize("policy", [OwnerPolicy(), FULL])
def test_a_form_that_is_sent_back_unchanged_is_the_same_policy(policy):
    assert read(form_of(policy), policy) == (policy, {})


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("buyers", "0x12"),
        ("columns", "x" * 201),
        ("data_sets", "a\x07b"),
        ("minimum_pay", "-1"),
        ("minimum_pay", "much"),
        ("minimum_pay", "NaN"),
        ("minimum_pay", "0.0000000000000000001"),
        ("minimum_pay", "1e40"),
        ("minimum_pay", "1 btc"),
        ("most_bond", "-1"),
        ("tokens", f"{BUYER} 1 2 3"),
        ("tokens", f"{BUYER} 1 x"),
        ("tokens", "0x12 5"),
        ("tokens", f"{BUYER} 1.5"),
        ("tokens", f"{BUYER}\n{BUYER} 5"),
        ("tokens", "0x" + "0" * 40),
        ("minimum_reveal_s", ""),
        ("minimum_reveal_s", "0"),
        ("minimum_reveal_s", "604801"),
        ("per_buyer", "-1"),
        ("per_buyer", "1.5"),
        ("in_total", "1000001"),
        ("in_total", "٣"),
    ],
)
def test_each_field_names_its_own_problem(field, text):
    policy, problems = read({**form_of(FULL), field: text}, FULL)
    assert policy is None
    assert list(problems) == [field]


def test_addresses_in_any_case_and_amounts_with_a_comma_are_understood():
    form = {**form_of(FULL), "buyers": BUYER.upper().replace("X", "x"), "minimum_pay": "0,25"}
    assert read(form, FULL) == (FULL, {})
    assert read({**form, "minimum_pay": "250000000 gwei"}, FULL) == (FULL, {})
    policy, _ = read({**form, "columns": normalize("NFD", "café\r\nthé")}, FULL)
    assert policy is not None
    assert policy.columns == ("café", "thé"), "as requests and rows name them"


CHECKSUMMED = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"
WRONG = "0x5AAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"


def test_an_address_with_a_wrong_checksum_is_refused_by_name():
    policy, _ = read({**form_of(FULL), "buyers": f"{CHECKSUMMED}\n{CHECKSUMMED.lower()}"}, FULL)
    assert policy is not None
    assert policy.buyers == (CHECKSUMMED.lower(),)
    wrong, problems = read({**form_of(FULL), "buyers": f"{BUYER}\n{WRONG}"}, FULL)
    assert wrong is None
    assert "wrong checksum" in problems["buyers"].text
    assert problems["buyers"].values == {"address": WRONG}
    budget, _ = limit_of({"data_set": "rows", "buyer": CHECKSUMMED, "numbers": "2"}, Budget())
    assert budget == Budget(limits=(Limit(data_set="rows", buyer=CHECKSUMMED.lower(), numbers=2),))
    wrong, problems = limit_of({"data_set": "rows", "buyer": WRONG, "numbers": "2"}, Budget())
    assert wrong is None
    assert problems["buyer"].values == {"address": WRONG}


async def test_the_page_shows_the_address_with_the_wrong_checksum(world):
    async with Browser(world) as browser:
        await browser.sign_in()
        for path, form in (
            ("/policy", {**form_of(FULL), "buyers": WRONG}),
            ("/policy/limits", {"data_set": "rows", "buyer": WRONG, "numbers": "2"}),
        ):
            response = await browser.post(path, form)
            assert response.status == 422
            assert f"The address {WRONG} has a wrong checksum" in await response.text()
    assert ordered(world) == []


def test_a_limit_is_set_and_taken_away():
    budget, _ = limit_of({"data_set": "rows", "buyer": BUYER, "numbers": "2"}, Budget())
    assert budget == Budget(limits=(Limit(data_set="rows", buyer=BUYER, numbers=2),))
    assert limit_of({"data_set": "rows", "buyer": BUYER, "numbers": ""}, budget) == (Budget(), {})
    for form, field in (
        ({"data_set": ""}, "data_set"),
        ({"data_set": "rows", "buyer": "me"}, "buyer"),
        ({"data_set": "rows", "numbers": "few"}, "numbers"),
    ):
        wrong, problems = limit_of(form, Budget())
        assert wrong is None
        assert list(problems) == [field]


async def test_budgets_show_each_data_set_and_buyer(world):
    add_rows(world)
    count(world.store, 1)
    count(world.store, 2, data_set="removed")
    world.store.put_value(ORDERED_POLICY, pack(OwnerPolicy(budget=Budget(per_buyer=4))))
    assert budget_lines(world.party) == (
        BudgetLine("removed", None, 1, None),
        BudgetLine("removed", BUYER, 1, 4),
        BudgetLine("rows", None, 1, None),
        BudgetLine("rows", BUYER, 1, 4),
    )


async def test_the_page_shows_the_policy_in_force_and_saving_orders_another(world):
    async with Browser(world) as browser:
        await browser.sign_in()
        page = await browser.get("/policy")
        assert "From the daemon's configuration." in page
        assert 'id="reset"' not in page
        form = {**form_of(FULL), "automatic": "yes", "per_buyer": "3"}
        response = await browser.post("/policy", form)
        assert response.headers["Location"] == "/policy?done=saved"
        world.store.put_value(ORDERED_POLICY, pack(FULL))
        page = await browser.get("/policy?done=saved")
        assert "The daemon was told." in page
        assert 'id="reset"' in page
        assert BUYER in page
        await browser.post("/policy/reset")
    saved = FULL.model_copy(update={"budget": Budget(per_buyer=3)})
    assert ordered(world) == [PolicyOrder(policy=saved), PolicyOrder(policy=None)]


async def test_saving_keeps_limits_of_single_data_sets(world):
    world.store.put_value(ORDERED_POLICY, pack(FULL))
    async with Browser(world) as browser:
        await browser.sign_in()
        await browser.post("/policy", {**form_of(FULL), "per_buyer": "7"})
        await browser.post("/policy/limits", {"data_set": "rows", "buyer": BUYER, "numbers": "2"})
    first, second = (order.policy.budget for order in ordered(world))
    assert first == Budget(per_buyer=7, limits=FULL.budget.limits)
    assert set(second.limits) == {*FULL.budget.limits, Limit(data_set="rows", buyer=BUYER, numbers=2)}


async def test_a_wrong_form_comes_back_with_its_problems_and_what_was_typed(world):
    async with Browser(world) as browser:
        await browser.sign_in()
        response = await browser.post("/policy", {"buyers": "me", "minimum_pay": "7"})
        page = await response.text()
        assert response.status == 422
        assert "An address is 0x and 40 hexadecimal digits" in page
        assert 'aria-invalid="true"' in page
        assert 'value="7"' in page
        response = await browser.post("/policy/limits", {"data_set": "<i>", "numbers": "few"})
        assert response.status == 422
        assert "&lt;i&gt;" in await response.text()
    assert world.orders == []


async def test_a_viewer_changes_nothing(world):
    async with Browser(world) as browser:
        await browser.sign_in("victor")
        assert 'id="save"' not in await browser.get("/policy")
        for place in ("/policy", "/policy/reset", "/policy/limits"):
            assert (await browser.post(place, {"data_set": "rows"})).status == 403
    assert world.orders == []
