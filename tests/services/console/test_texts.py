"""Two languages: every text is translated, figures follow the language, and the reader can choose."""

import re
from decimal import Decimal
from fractions import Fraction

import pytest

from services.console.presentation.extract_texts import catalogue_path, extracted, renewed
from services.console.presentation.format import Formats, short
from services.console.presentation.i18n import LANGUAGES, locale_of, negotiate, translations
from tests.support.console import Browser, ConsoleWorld
from tests.support.console_trainings import running_training

OTHERS = [language for language in LANGUAGES if language != "en"]
_PLACES = re.compile(r"%\(\w+\)s|%%")


def whole(string):
    return all(string) if isinstance(string, tuple) else bool(string)


@pytest.mark.parametrize("language", OTHERS)
def test_every_text_is_translated_and_none_is_left_over(language):
    catalogue = renewed(language)
    missing = [message.id for message in catalogue if message.id and not whole(message.string)]
    assert missing == [], "translate these; run `make messages`"
    known = {str(message.id) for message in extracted() if message.id}
    in_file = re.findall(r"^msgid ", catalogue_path(language).read_text(), flags=re.MULTILINE)
    assert len(in_file) == len(known), "run `make messages`"


@pytest.mark.parametrize("language", OTHERS)
def test_translations_keep_the_places_for_values(language):
    for message in renewed(language):
        ids = message.id if isinstance(message.id, tuple) else (message.id,)
        strings = message.string if isinstance(message.string, tuple) else (message.string,)
        for text, string in zip(ids, strings, strict=True):
            if message.id:
                assert sorted(_PLACES.findall(text)) == sorted(_PLACES.findall(string)), text


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


def test_figures_in_both_languages():
    english, spanish = Formats(locale_of("en")), Formats(locale_of("es"))
    assert english.number(12345.678, 2) == "12,345.68"
    assert spanish.number(12345.678, 2) == "12.345,68"
    assert english.percent(Fraction(271, 1000)) == "27.1 %"
    assert spanish.percent(0.271) == "27,1 %"
    assert english.significant(Decimal("0.00012345678")) == "0.00012346"
    assert english.significant(4374) == "4,374"
    assert english.significant(-0.0) == "0"
    assert english.metric(4374 * 10**18 + 10**17) == "4,374.1"
    assert english.moment(0).startswith("Jan 1, 1970")
    assert english.moment(0).endswith("UTC")
    assert english.number(None) == english.percent(None) == english.money(None) == english.metric(None) == "–"


@pytest.mark.parametrize(
    ("wei", "shown"),
    [(10**18, "1 ETH"), (0, "0 ETH"), (1, "0.000000000000000001 ETH"), (-(10**17), "-0.1 ETH")],
)
def test_ether_that_is_there_never_shows_as_nothing(wei, shown):
    assert Formats(locale_of("en")).money(wei) == shown


def test_identifiers_are_shown_by_their_ends():
    assert short("0x" + "ab" * 20) == "0xababab…ababab"
    assert short("accepted") == "accepted"


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
