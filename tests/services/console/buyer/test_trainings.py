"""What a buyer sees of its trainings."""

import json
import re

import pytest

from protocol.crypto.cipher import PublicKey
from protocol.learning.inference.estimates import Inference
from protocol.marketplace import Opened
from services.console.buyer.views import Training
from services.console.presentation.format import isoformat, points_text
from services.store import Store
from tests.support.console.trainings import (
    BUYER,
    KEY,
    OWNERS,
    asking_training,
    finished_training,
    put,
    running_training,
    tell,
)
from tests.support.console.world import Browser, party_of
from tests.support.deployment.documents import AGGREGATOR, any_request


def test_a_running_training_is_summed_up():
    store = Store()
    running_training(store)
    (one,) = Training.newest(party_of(store))
    assert (one.row.display_status, len(one.story.rounds), one.state.request.schedule.rounds) == (
        "IN_PROGRESS",
        3,
        20,
    )
    assert one.improvement == pytest.approx(1 - 0.9**3)
    assert one.story.rounds[-1].mse_after == 6000 * 9**3 * 10**15
    # 3 of 20 rounds of participation, validation and aggregation, and 27.1 % of the contribution.
    assert one.paid / 10**18 == pytest.approx(0.15 * 0.35 + 0.65 * 0.271)


def test_contribution_and_pay_by_party():
    store = Store()
    found = Training.find(party_of(store), running_training(store))
    shares = [one.contribution for one in found.partners]
    assert shares[:3] == pytest.approx([2 / 3, 1 / 3, -1 / 3])
    assert shares[3:] == [None, None, None]
    assert [one.role for one in found.partners] == [*["trainer"] * 3, *["validator"] * 2, "aggregator"]
    assert found.partners[2].pay == 3 * (10**18 * 5 // 100 // 20 // 3)
    assert found.partners[-1].address == AGGREGATOR
    assert sum(one.pay for one in found.partners) == found.paid
    assert [number for number, _error in found.curve] == [0, 1, 2, 3]
    assert found.stoppable


def test_an_ended_training_shows_what_was_paid():
    store = Store()
    found = Training.find(party_of(store), finished_training(store))
    assert (found.paid, found.refund) == (3 * 10**17, 7 * 10**17)
    assert found.partners[0].pay == 3 * 10**17
    assert found.story.settled
    assert not found.stoppable
    assert found.model is not None


def test_an_order_without_a_number_is_listed():
    store = Store()
    put(store, "order:1", any_request())
    (one,) = Training.newest(party_of(store))
    assert (one.row.training, one.row.display_status, one.improvement, one.paid) == (
        None,
        "WAITING",
        None,
        0,
    )
    assert not Training.find(party_of(store), "order:1").stoppable
    assert Training.find(party_of(store), "order:2") is None


def test_what_failed_is_told_in_words():
    store = Store()
    put(store, "order:1", any_request(), phase="failed", failure="not_enough_owners")
    assert Training.find(party_of(store), "order:1").state.failure == "not_enough_owners"


async def test_the_list_and_the_page_of_a_training(world, browser):
    assert "No trainings yet" in await browser.get("/trainings")
    key = running_training(world.store)
    page = await browser.get("/trainings")
    assert f'href="/trainings/order%3A{key[6:]}"' in page
    assert "27.1 %" in page
    page = await browser.get(f"/trainings/{key}")
    for text in (
        "4,374",
        "6,000",
        "27.1 %",
        "In progress",
        "Trainers and validators were drawn",
        OWNERS[0],
        "0x" + "74" * 32,
    ):
        assert text in page, text
    assert await browser.status("/trainings/order:9") == 404


async def test_a_training_is_found_by_the_contracts_number_too(world, browser):
    key = running_training(world.store)
    assert f"/trainings/{key.replace(':', '%3A')}" in await browser.get("/trainings/1")
    assert await browser.status("/trainings/2") == 404
    assert await browser.status(f"/trainings/{'9' * 40}") == 404


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", "the last still improved the error by 10 %; another might bring about 10 %"),
        ("es", "la última aún mejoró el error en un 10 %; otra podría aportar alrededor de un 10 %"),
    ],
)
async def test_a_model_that_has_not_converged_says_so(world, browser, language, said):
    key = finished_training(world.store, schedule={"rounds": 3, "step_size": 1})
    await browser.post("/preferences", {"language": language, "next": "/trainings"})
    assert said in await browser.get(f"/trainings/{key}")


async def test_a_training_that_ended_early_says_why(world, browser):
    key = finished_training(world.store)
    put(world.store, key, any_request(scale="none"), phase="failed", training=1, failure="too_few_trainers")
    page = await browser.get(f"/trainings/{key}")
    assert "Too few trainers answered." in page
    assert "It ended early, after 3 of at most 20 rounds." in page


async def test_errors_of_scaled_columns_are_shown_in_the_targets_own_units(world, browser):
    """Half the width of its range is 200: an error of 6000 on chain is 6000 × 200² of its own."""
    page = await browser.get(f"/trainings/{running_training(world.store, scale='range')}")
    assert "240,000,000" in page


@pytest.mark.parametrize(
    ("size", "said"),
    [
        (None, "At most 5 rounds of 500 steps, each owner's as large as is safe"),
        ("1.5", "At most 5 rounds of 500 steps of 1.5<"),
    ],
)
async def test_a_schedule_is_told_with_its_step_size(world, browser, size, said):
    schedule = {"rounds": 5, "local_steps": 500, "step_size": size or "auto"}
    page = await browser.get(f"/trainings/{running_training(world.store, schedule=schedule)}")
    assert said in page


async def test_the_hash_that_is_shown_is_the_one_on_the_chain(world, browser):
    """Of document and key: the document's own hash is in no transaction, and nobody could find it there."""
    request = any_request(scale="none")
    key = running_training(world.store)
    paid = "0x" + request.paid_hash(PublicKey(KEY).key_id).hex()
    page = await browser.get(f"/trainings/{key}")
    assert f'<code id="chain-hash">{paid}</code>' in page
    assert f"0x{request.hash().hex()}" in page
    assert 'id="hash-differs"' not in page


async def test_a_hash_on_the_chain_of_another_document_or_key_is_told(world, browser):
    request, other = any_request(scale="none"), b"o" * 32
    key = running_training(world.store, paid_for=other)
    page = await browser.get(f"/trainings/{key}")
    assert f'<code id="chain-hash">0x{request.paid_hash(other).hex()}</code>' in page
    warning = page[page.index('id="hash-differs"') :]
    assert "the deposit was paid for something else" in warning
    assert request.paid_hash(PublicKey(KEY).key_id).hex() in warning


async def test_before_an_order_no_hash_is_said_to_be_on_the_chain(world, browser):
    put(world.store, "order:1", any_request(scale="none"))
    page = await browser.get("/trainings/order:1")
    assert "Hash of the document" in page
    assert 'id="chain-hash"' not in page


async def test_a_long_training_shows_the_newest_and_all_on_a_page_of_its_own(world, browser):
    key = running_training(world.store, rounds=30, schedule={"rounds": 100, "step_size": 1})
    page = await browser.get(f"/trainings/{key}")
    assert page.count("<tr data-x=") == 20
    assert 'data-points="0:6000 1:5400 ' in page
    assert f'href="/trainings/order%3A{key[6:]}/all"' in page
    page = await browser.get(f"/trainings/{key}/all")
    assert page.count("<tr data-x=") == 31
    assert page.count(" was recorded") == 30
    assert await browser.status("/trainings/order:9/all") == 404


def test_the_chart_gets_few_points_however_long_the_training():
    curve = [(number, 10**18 * (20_000 - number)) for number in range(10_001)]
    points = points_text(curve).split()
    assert len(points) <= 401
    assert (points[0], points[-1]) == ("0:20000", "10000:10000")
    assert points_text(curve[:3]).split() == ["0:20000", "1:19999", "2:19998"]


async def test_older_trainings_are_on_pages_of_their_own(world, browser):
    for number in range(60):
        put(world.store, f"order:{number}", any_request(name=f"Number {number}"))
    page = await browser.get("/trainings")
    assert page.count("<tr data-training=") == 50
    assert 'href="?page=1"' in page
    page = await browser.get("/trainings?page=1")
    assert page.count("<tr data-training=") == 10
    assert 'href="?page=0"' in page
    assert "sse-connect" not in page
    assert "No trainings yet" in await browser.get("/trainings?page=9")
    assert (await browser.get("/trainings?page=x")).count("<tr data-training=") == 50


async def test_the_model_is_for_operators(world, browser):
    key = finished_training(world.store)
    page = await browser.get(f"/trainings/{key}")
    assert "152.125" in page
    async with browser.http.get(f"/trainings/{key}/model.json") as response:
        assert response.headers["Content-Disposition"] == 'attachment; filename="model-1.json"'
        assert json.loads(await response.text())["weights"] == [1.25, -2.5]
    async with Browser(world) as viewer:
        await viewer.sign_in("victor")
        page = await viewer.get(f"/trainings/{key}")
        assert "152.125" not in page
        assert "Operators can see" in page
        async with viewer.http.get(f"/live/training/{key}") as response:
            assert b"152.125" not in await response.content.readuntil(b"event: timeline")


SURE = Inference(
    names=("age", "bmi", "intercept"),
    standard_errors=(0.5, 5.0, 100.25),
    degrees=40.0,
    trainers=5,
    rows=500,
)


async def test_how_sure_the_weights_are_is_for_operators_too(world, browser):
    key = finished_training(world.store, inference=SURE)
    page = await browser.get(f"/trainings/{key}")
    assert all(part in page for part in ('id="coefficients"', "100.25", "of 500 rows"))
    async with Browser(world) as viewer:
        await viewer.sign_in("victor")
        assert "100.25" not in await viewer.get(f"/trainings/{key}")


async def test_why_there_are_no_standard_errors_is_told(world, browser):
    missing = Inference(missing="singular")
    key = finished_training(world.store, training=2, inference=missing)
    assert "some weights are determined only together" in await browser.get(f"/trainings/{key}")


async def test_there_is_no_model_before_the_end(world, browser):
    key = running_training(world.store)
    assert await browser.status(f"/trainings/{key}/model.json") == 404


async def test_a_training_that_has_ended_is_not_stopped(world, browser):
    key = finished_training(world.store)
    assert (await browser.post(f"/trainings/{key}/stop")).status == 409
    assert world.orders == []


async def test_repeating_fills_the_form_under_another_name(world, browser):
    key = running_training(world.store)
    page = await browser.get(f"/trainings/new?from={key}")
    assert 'value="Disease progression (2)"' in page
    assert 'value="bmi"' in page
    assert await browser.status("/trainings/new?from=order:9") == 404


async def test_the_same_request_is_not_ordered_twice(world, browser):
    running_training(world.store, scale="range")
    response = await browser.post("/trainings", {"request": any_request(scale="range").model_dump_json()})
    assert response.status == 400
    assert "ordered before" in await response.text()
    assert world.orders == []


async def test_a_models_card_is_for_everybody_who_is_signed_in(world):
    key = finished_training(world.store, purpose="To try it")
    async with Browser(world) as viewer:
        await viewer.sign_in("victor")
        assert f'href="/trainings/order%3A{key[6:]}/card.html"' in await viewer.get(f"/trainings/{key}")
        for suffix, said in ((".html", "<dd>To try it</dd>"), (".md", "Intended use: To try it")):
            async with viewer.http.get(f"/trainings/{key}/card{suffix}") as response:
                disposition = response.headers["Content-Disposition"]
                assert disposition == f'attachment; filename="model-card-1{suffix}"'
                text = await response.text()
                assert said in text
                assert "152.125" not in text
        async with viewer.http.get(f"/trainings/{key}/card.json") as response:
            assert (await response.json())["market"]["contract"] == world.party.market.contract


async def test_there_is_no_card_without_a_model_or_in_another_form(world, browser):
    assert await browser.status(f"/trainings/{running_training(world.store)}/card.html") == 404
    assert await browser.status(f"/trainings/{finished_training(world.store, training=2)}/card.pdf") == 404
    assert await browser.status("/trainings/order:9/card.md") == 404


async def test_a_page_without_a_curve_says_what_comes_and_when(world, browser):
    """Before the opening, while owners join, while the first round runs, and where none will come."""
    wanted = any_request(scale="none")
    put(world.store, "order:1", wanted)
    assert "once the training is open and enough owners" in await browser.get("/trainings/order:1")
    key = running_training(world.store, training=2, rounds=0)
    assert "may take up to 2 minutes" in await browser.get(f"/trainings/{key}")
    put(world.store, "order:3", wanted, phase="initiated", training=3)
    terms = wanted.terms(PublicKey(KEY).key_id)
    opened = Opened(training=3, buyer=BUYER, aggregator=AGGREGATOR, deposit=10**18, terms=terms)
    tell(world.store, 3, opened)
    ends = isoformat(1_700_000_001 + wanted.deadlines.join_s)
    page = await browser.get("/trainings/order:3")
    assert re.search(rf'at the latest:\s+<time datetime="{re.escape(ends)}"', page)
    put(world.store, "order:4", wanted, phase="failed", failure="not_enough_owners")
    assert "so there is no curve" in await browser.get("/trainings/order:4")


async def test_errors_are_told_with_their_roots_and_as_r_squared(world, browser):
    page = await browser.get(f"/trainings/{running_training(world.store)}")
    row = page[page.index('<tr data-x="3"') :]
    figures = re.findall(r'<td class="figure">([^<]+)</td>', row)[:4]
    assert figures == ["3", "4,374", "66.136", "0.271"]


async def test_a_person_decides_who_may_join(world, browser):
    key = asking_training(world.store)
    page = await browser.get(f"/trainings/{key}")
    assert "Owners that would join" in page
    assert page.count('value="admit"') == 1, "one waits, about the other it is decided"
    assert page.index(OWNERS[1]) < page.index(OWNERS[0]), "who waits comes first"
    for decision in ("admit", "refuse"):
        await browser.post(f"/trainings/{key}/admit", {"owner": OWNERS[1], "decision": decision})
    assert [(one.training, one.owner, one.admit) for one, *_ in world.orders] == [
        (1, OWNERS[1], True),
        (1, OWNERS[1], False),
    ]


@pytest.mark.parametrize(
    "form",
    [
        {"owner": OWNERS[0], "decision": "refuse"},
        {"owner": OWNERS[2], "decision": "admit"},
        {"owner": OWNERS[1], "decision": "ask"},
        {},
    ],
    ids=["decided", "nobody", "neither", "nothing"],
)
async def test_nothing_is_decided_about_who_does_not_wait(world, browser, form):
    key = asking_training(world.store)
    assert (await browser.post(f"/trainings/{key}/admit", form)).status == 409
    assert world.orders == []


async def test_a_viewer_sees_who_waits_and_decides_nothing(world):
    key = asking_training(world.store)
    async with Browser(world) as viewer:
        await viewer.sign_in("victor")
        page = await viewer.get(f"/trainings/{key}")
        assert OWNERS[1] in page
        assert 'value="admit"' not in page
        form = {"owner": OWNERS[1], "decision": "admit"}
        assert (await viewer.post(f"/trainings/{key}/admit", form)).status == 403
    assert world.orders == []
