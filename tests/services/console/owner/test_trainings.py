"""An owner's training requests: what is asked, what serves it, what it pays, and the decision."""

import re

import pytest

from protocol.asset import MARKET_ASSET
from protocol.codec import pack
from protocol.marketplace import Credited, RolesDrawn
from protocol.messages import OwnerDecision
from protocol.owner_policy import Budget, OwnerPolicy
from protocol.roles.owner.budget import most_numbers
from services.console.owner.views import matches_of, training_of, trainings
from services.console.presentation.training_record import LISTED
from services.records.admissions import Refusal
from services.records.owner_account import ORDERED_POLICY, counts_of
from tests.support.console.owner import BUYER, add_rows, count, pay, put, request
from tests.support.console.trainings import OWNERS, round_of, tell
from tests.support.console.world import ADDRESS, Browser, ConsoleWorld
from tests.support.deployment.documents import any_request
from tests.support.seats import seat_taken


def found(world, key):
    return training_of(world.party, key)


# ---- views ----


async def test_each_data_set_says_why_it_serves_or_not(world):
    add_rows(world)
    add_rows(world, "short", rows=5)
    add_rows(world, "other", columns=("age", "height", "progression"))
    matches = matches_of(request(), BUYER, world.owner.catalogue, OwnerPolicy(), counts_of(world.store))
    told = {one.data_set: one.reasons for one in matches}
    assert matches[0].data_set == "rows"
    assert matches[0].serves
    assert told == {
        "rows": (),
        "short": ("4 rows or more; at least 20 asked",),
        "other": ("no column 'bmi'",),
    }


async def test_the_budget_stands_beside_each_data_set(world):
    add_rows(world)
    count(world.store, 7)
    policy = OwnerPolicy(budget=Budget(per_buyer=1, in_total=3))
    [match] = matches_of(request(), BUYER, world.owner.catalogue, policy, counts_of(world.store))
    assert match.standing.figures() == {
        "asked": most_numbers(request()),
        "used_by_buyer": 1,
        "limit_per_buyer": 1,
        "used_in_total": 1,
        "limit_in_total": 3,
        "pooled_before": 0,
    }
    assert match.standing.is_exhausted


async def test_a_replaced_data_set_is_judged_anew(world):
    add_rows(world, rows=5)
    put(world)
    assert not found(world, "1").matches[0].serves
    world.owner.catalogue.remove("rows")
    add_rows(world)
    assert found(world, "1").matches[0].serves


async def test_requests_that_wait_for_a_decision_come_first(world):
    put(world, 1, phase="ready")
    put(world, 2, phase="waiting", data_set=None)
    put(world, 3, phase="finished")
    assert [one.row.training for one in trainings(world.party)] == [1, 3, 2]


async def test_the_list_is_bounded_but_for_what_asks(world):
    put(world, 1, phase="ready")
    for training in range(2, LISTED + 3):
        put(world, training, phase="finished")
    assert [training.row.training for training in trainings(world.party, 2)] == [1, LISTED + 2, LISTED + 1]
    assert len(trainings(world.party)) == 1 + LISTED
    async with Browser(world) as browser:
        await browser.sign_in()
        assert "Only those that changed last" in await browser.get("/trainings")


async def test_an_opening_without_an_invitation_is_not_listed(world):
    put(world, 1)
    key = put(world, 2, phase="waiting", data_set=None, invited=False)
    assert [one.row.training for one in trainings(world.party)] == [1]
    assert found(world, key) is None


async def test_what_was_earned_is_that_of_this_owner_alone(world):
    key = put(world, 4, phase="finished")
    pay(world, 4, participation=10**16, contribution=3 * 10**16)
    assert found(world, key).earned == 4 * 10**16
    assert found(world, key).story.settled


async def test_before_the_settlement_earned_is_what_the_contract_would_credit(world):
    key = put(world, 4, phase="running")
    owners = [ADDRESS, *OWNERS[:4]]
    tell(world.store, 4, *(seat_taken(training=4, owner=one, seat=seat) for seat, one in enumerate(owners)))
    tell(world.store, 4, RolesDrawn(training=4, trainers=0b00111, validators=0b11000), round_of(4, 1))
    training = found(world, key)
    assert training.drawn == "trainer"
    # One of 20 rounds: a third of its part of 5 %, and all the better share of what was improved.
    assert training.earned > 10**18 * 5 // 100 // 20 // 3
    tell(world.store, 4, Credited(training=4, account=ADDRESS, share="participation", amount=5))
    assert found(world, key).earned == 5


# ---- pages ----


async def test_the_list_shows_what_asks_for_a_decision(world):
    put(world)
    async with Browser(world) as browser:
        await browser.sign_in()
        page = await browser.get("/trainings")
    assert 'data-training="1" class="asks"' in page
    assert "Disease progression" in page
    assert "Ready" in page


async def test_the_list_says_who_does_not_admit_the_owner_and_when_it_asks_again(tmp_path):
    refusals = (Refusal(OWNERS[0], 1_900_000_000.0), Refusal(OWNERS[1], None))
    resources = {"refusals": lambda: refusals}
    async with (
        ConsoleWorld(tmp_path, "data_owner", resources=resources).running() as world,
        Browser(world) as browser,
    ):
        await browser.sign_in()
        page = await browser.get("/trainings")
    assert page.count("does not admit this owner yet") == 2
    assert 'datetime="2030-03-17T17:46:40' in page
    assert "it is being asked again" in page
    assert all(one.aggregator in page for one in refusals)


async def test_the_page_shows_what_is_asked_and_what_serves(world):
    add_rows(world)
    add_rows(world, "short", rows=5)
    key = put(world)
    async with Browser(world) as browser:
        await browser.sign_in()
        page = await browser.get(f"/trainings/{key}")
    short = "4 rows or more; at least 20 asked"
    for text in ("bmi", "(to predict)", short, "Take part?", BUYER, "As a validator"):
        assert text in page
    assert '<option value="rows"' in page
    assert '<option value="short"' not in page


async def test_an_operator_accepts_with_a_data_set(world):
    add_rows(world)
    enough = Budget(per_buyer=most_numbers(request()), in_total=most_numbers(request()))
    world.store.put_value(ORDERED_POLICY, pack(OwnerPolicy(budget=enough)))
    key = put(world)
    async with Browser(world) as browser:
        await browser.sign_in()
        response = await browser.post(f"/trainings/{key}/accept", {"data_set": "rows"})
        assert response.headers["Location"] == f"/trainings/{key}?sent=accept"
        assert "told to join" in await browser.get(f"/trainings/{key}?sent=accept")
    assert world.orders == [(OwnerDecision(training=1, accept=True, data_set="rows"), 1)]


async def test_an_operator_declines(world):
    key = put(world)
    async with Browser(world) as browser:
        await browser.sign_in()
        response = await browser.post(f"/trainings/{key}/decline")
    assert response.status == 303
    assert world.orders == [(OwnerDecision(training=1, accept=False), 1)]


async def test_beyond_the_budget_only_with_the_box_ticked(world):
    add_rows(world)
    count(world.store, 7)
    key = put(world)
    async with Browser(world) as browser:
        await browser.sign_in()
        assert "This is more than a budget has left." in await browser.get(f"/trainings/{key}")
        response = await browser.post(f"/trainings/{key}/accept", {"data_set": "rows"})
        assert response.status == 422
        assert "budget of this data set does not reach" in await response.text()
        assert world.orders == []
        await browser.post(f"/trainings/{key}/accept", {"data_set": "rows", "beyond_budget": "yes"})
    [(decision, _)] = world.orders
    assert decision.beyond_budget


async def test_a_data_set_that_is_in_a_sum_for_standard_errors_is_said_to_be(world):
    add_rows(world)
    asking = request(inference=True, owners={"minimum": 7, "maximum": 8})
    places = [f"/trainings/{put(world, 1, request=asking)}", f"/trainings/{put(world, 2)}"]
    told = "Its second moments are in a sum"
    async with Browser(world) as browser:
        await browser.sign_in()
        assert told not in await browser.get(places[0])
        count(world.store, 7, buyer=OWNERS[0], is_pooled=True)
        assert [told in await browser.get(place) for place in places] == [True, False]


@pytest.mark.parametrize(
    ("phase", "data_set"), [("ready", "short"), ("ready", "none"), ("initiated", "rows")]
)
async def test_what_cannot_be_accepted_is_a_conflict(world, phase, data_set):
    add_rows(world)
    add_rows(world, "short", rows=5)
    key = put(world, phase=phase)
    async with Browser(world) as browser:
        await browser.sign_in()
        response = await browser.post(f"/trainings/{key}/accept", {"data_set": data_set})
        assert response.status == 409
    assert world.orders == []


async def test_the_least_that_the_page_shows_is_what_the_policy_decides_by(world):
    """Of a deposit that nothing divides: if one wei more is asked for, a person has to decide."""
    wanted = request(
        owners={"minimum": 4, "maximum": 11},
        payment={"deposit_wei": 10**18 + 7_654_321},
        schedule={"rounds": 7, "local_steps": 1, "step_size": 1},
    )
    key = put(world, request=wanted)
    shown = found(world, key).pay.least
    for pay_wanted, joins in ((shown, True), (shown + 1, False)):
        policy = OwnerPolicy(automatic=True, minimum_pay_wei=pay_wanted)
        assert policy.accepts(wanted, BUYER, "rows") is joins


async def test_the_least_pay_as_written_on_the_page_may_be_asked_for(world):
    """A seventh of 0.05 ether is 0.00714285…: shown as 0.007143, its own training would not pay it."""
    wanted = request(owners={"minimum": 4, "maximum": 10}, payment={"deposit_wei": 10**18})
    key = put(world, request=wanted)
    async with Browser(world) as browser:
        await browser.sign_in()
        page = await browser.get(f"/trainings/{key}")
    figures = re.findall(r'data-figure="(?:trainer|validator)">([0-9.]+)', page)
    assert len(figures) == 2
    least = min(MARKET_ASSET.parse(figure) for figure in figures)
    assert OwnerPolicy(automatic=True, minimum_pay_wei=least).accepts(wanted, BUYER, "rows")


async def test_the_page_shows_what_the_aggregator_tells(world):
    key = put(world, phase="running")
    left_out = {"participant": OWNERS[1], "round": 3, "attempt": 0, "code": "update_late"}
    accused = {"accused": OWNERS[2], "round": 3, "code": "bad_opening"}
    world.store.note_once(key, "dropped", left_out, 1_700_000_100.0)
    world.store.note_once(key, "complaint", accused, 1_700_000_101.0)
    world.store.note_once(key, "gave_up", {"code": "too_few_trainers", "last_round": 2}, 1_700_000_102.0)
    async with Browser(world) as browser:
        await browser.sign_in()
        page = await browser.get(f"/trainings/{key}")
    timeline = page[page.index('id="timeline"') :]
    for text in (
        "participant was left out",
        "aggregator complained of somebody",
        "aggregator gave up",
    ):
        assert text in timeline
    for value in (OWNERS[1], OWNERS[2], "update_late", "bad_opening", "too_few_trainers"):
        assert value in timeline


async def test_a_viewer_decides_nothing(world):
    add_rows(world)
    key = put(world)
    async with Browser(world) as browser:
        await browser.sign_in("victor")
        page = await browser.get(f"/trainings/{key}")
        assert 'id="accept"' not in page
        assert (await browser.post(f"/trainings/{key}/accept", {"data_set": "rows"})).status == 403
        assert (await browser.post(f"/trainings/{key}/decline")).status == 403
    assert world.orders == []


async def test_names_that_peers_chose_are_text(world):
    name = "<script>alert(1)</script>"
    columns = [{"name": "<img src=x onerror=alert(1)>", "minimum": -1, "maximum": 1}]
    key = put(world, request=any_request(features=columns, name=name))
    add_rows(world)
    async with Browser(world) as browser:
        await browser.sign_in()
        for place in ("/trainings", f"/trainings/{key}"):
            page = await browser.get(place)
            assert "<script>alert" not in page
            assert "<img src=x" not in page
            assert "&lt;script&gt;" in page


async def test_there_is_no_page_for_what_is_not_there(world):
    async with Browser(world) as browser:
        await browser.sign_in()
        assert await browser.status("/trainings/99") == 404
        assert await browser.status("/data-sets/none") == 404


async def test_columns_of_every_kind_are_asked_for_as_what_they_are(world, browser):
    features = [
        {"name": "heating", "kind": "categorical", "levels": ["gas & co", "oil"]},
        {"name": "built", "kind": "date", "minimum": "1900-01-01", "maximum": "2025-01-01"},
        {"name": "garden", "kind": "boolean"},
    ]
    key = put(world, request=any_request(features=features))
    text = await browser.get(f"/trainings/{key}")
    assert '<td colspan="2">gas &amp; co, oil</td>' in text
    assert '<td class="figure">1900-01-01</td><td class="figure">2025-01-01</td>' in text
    assert '<th scope="row">garden</th><td class="figure">0</td><td class="figure">1</td>' in " ".join(
        text.split()
    ).replace("> <", "><")
