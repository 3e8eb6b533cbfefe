"""Two languages: the browser says which one, and the reader can choose."""

import pytest

from services.console.presentation.i18n import negotiate, translations
from tests.support.console.trainings import running_training
from tests.support.console.world import Browser, ConsoleWorld


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("es-AR,es;q=0.9,en;q=0.8", "es"),
        ("en-GB,es;q=0.5", "en"),
        ("de, es;q=0.4, en;q=0.2", "es"),
        ("de", "en"),
        ("", "en"),
        ("es;q=0, *", "en"),
        ("es;q=x;;,,", "en"),
        ("x" * 10_000, "en"),
    ],
)
def test_the_browser_says_which_language(header, language):
    assert negotiate(header) == language


def test_plural_forms():
    one, many = "%(num)s input needs another look.", "%(num)s inputs need another look."
    assert "campos" in translations("es").ngettext(one, many, 2)
    assert translations("en").ngettext(one, many, 1) == one


async def test_a_reader_chooses_language_and_theme(tmp_path):
    async with ConsoleWorld(tmp_path).running() as world, Browser(world) as browser:
        running_training(world.store)
        await browser.sign_in()
        page = await browser.get("/trainings")
        assert '<html lang="en" data-theme="auto">' in page
        response = await browser.post("/preferences", {"language": "es", "next": "/trainings"})
        assert response.headers["Location"] == "/trainings"
        await browser.post("/preferences", {"theme": "dark"})
        page = await browser.get("/trainings")
        assert '<html lang="es" data-theme="dark">' in page
        assert "Entrenamientos" in page
        assert "27,1 %" in page
        await browser.post("/preferences", {"language": "xx", "theme": "<b>"})
        assert '<html lang="es" data-theme="dark">' in await browser.get("/trainings")


async def test_the_language_can_be_chosen_anywhere_and_leads_back(tmp_path):
    async with ConsoleWorld(tmp_path).running() as world, Browser(world) as browser:
        page = await browser.get("/sign-in?next=/trainings/new")
        assert 'name="next" value="/sign-in?next=/trainings/new"' in page
        response = await browser.post(
            "/preferences", {"language": "es", "next": "/sign-in?next=/trainings/new"}
        )
        assert response.headers["Location"] == "/sign-in?next=/trainings/new"
        wrong = await browser.sign_in("olga", "wrong")
        assert 'name="next" value="/sign-in"' in await wrong.text()


async def test_the_header_chooses_where_nothing_was_chosen(tmp_path):
    async with ConsoleWorld(tmp_path).running() as world, Browser(world, **{"Accept-Language": "es"}) as one:
        assert "Iniciar sesión" in await one.get("/sign-in")
