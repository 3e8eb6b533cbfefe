"""Orders from pages: the page that follows shows what the daemon decided."""

import pytest

from services.console.web import orders
from services.records.order_answers import OrderAnswer
from tests.support.console.owner import add_rows, put
from tests.support.console.world import Browser, ConsoleWorld


@pytest.fixture
def world(tmp_path):
    made = ConsoleWorld(tmp_path, "data_owner")
    yield made
    made.store.close()


@pytest.mark.parametrize(
    ("code", "language", "told"),
    [
        ("over_budget", "en", "The data set&#39;s budget is used up."),
        ("over_budget", "es", "El presupuesto del conjunto de datos está agotado."),
        ("something_new", "en", "Nothing was changed. The daemon&#39;s log says why."),
    ],
)
async def test_a_refusal_is_a_page_that_says_why(world, code, language, told):
    world.answer = OrderAnswer(code)
    add_rows(world)
    key = put(world)
    async with world.running(), Browser(world) as browser:
        await browser.sign_in()
        await browser.post("/preferences", {"language": language})
        response = await browser.post(
            f"/trainings/{key}/accept", {"data_set": "rows", "beyond_budget": "yes"}
        )
        assert response.status == 409
        assert told in await response.text()


async def test_a_daemon_that_is_slow_is_not_waited_for(world, monkeypatch):
    monkeypatch.setattr(orders, "PATIENCE_SECONDS", 0.01)
    world.answer = None
    key = put(world)
    async with world.running(), Browser(world) as browser:
        await browser.sign_in()
        response = await browser.post(f"/trainings/{key}/decline")
        assert response.headers["Location"] == f"/trainings/{key}?sent=decline"
