"""Signing in: who may, what a session is worth, and when it ends."""

import pytest

from tests.support.console import PASSWORD, Browser, ConsoleWorld


@pytest.fixture
async def world(tmp_path):
    async with ConsoleWorld(tmp_path).running() as running:
        yield running


async def test_a_stranger_is_sent_to_the_sign_in_page_and_back(world):
    async with Browser(world) as browser:
        async with browser.http.get("/trainings", allow_redirects=False) as response:
            assert response.status == 303
            assert response.headers["Location"] == "/sign-in?next=/trainings"
        form = {"name": "olga", "password": PASSWORD, "next": "/trainings"}
        response = await browser.post("/sign-in", form)
        assert response.headers["Location"] == "/trainings"
        assert "Sign out" in await browser.get("/trainings")
