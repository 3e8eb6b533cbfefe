"""A data set's card on the owner's console: as buyers see it, changed as the commands do, listed or not."""

import re
from html import escape

import pytest

from protocol.data_card import MOST_CARDS
from services.data.row_reader import read_statistic
from tests.services.console.owner.test_data_sets import send
from tests.support.console.owner import add_rows, read_here
from tests.support.console.world import Browser, ConsoleWorld

HOUSES = "area,garden,heating,built,name\n" + "".join(
    f"{40 + n},{'yes' if n % 2 else 'no'},{'gas' if n % 3 else 'oil & wood'},200{n % 9}-01-08,person {n}\n"
    for n in range(60)
)


@pytest.fixture
async def world(tmp_path):
    resources = {"read_upload": read_here}
    async with ConsoleWorld(tmp_path, "data_owner", resources=resources).running() as running:
        yield running


@pytest.fixture
async def browser(world):
    async with Browser(world) as opened:
        await opened.sign_in()
        await opened.get("/data-sets")
        yield opened


@pytest.fixture
def houses(world, tmp_path):
    """A data set with columns of every kind, of which one tells of single rows."""
    path = tmp_path / "houses.csv"
    path.write_text(HOUSES)
    world.owner.catalogue.add("houses", read_statistic(path), path)
    return world.owner.catalogue


def card_hash(text):
    return re.search(r'name="hash" value="([0-9a-f]{64})"', text).group(1)


async def change(browser, **fields):
    """Send the form of the card as it is, with these fields."""
    text = await browser.get("/data-sets/houses/card")
    return await browser.post("/data-sets/houses/card", {"hash": card_hash(text), **fields})


async def test_a_card_is_shown_as_buyers_see_it(browser, houses):
    card = houses.card("houses")
    text = " ".join((await browser.get("/data-sets/houses")).split())
    assert card.hash().hex() in text
    kinds = "numbers", "yes and no", "dates", "texts"
    for shown in ("32 to 63", "40 to 99", "gas, oil &amp; wood", "1999-11-05 to 2008-01-22", *kinds):
        assert shown in text, shown
    assert 'data-listing="words"' in text
    assert "stays unlisted until you list it" in text


async def test_a_card_is_changed_by_the_rules_of_the_command(browser, houses):
    response = await change(
        browser,
        **{
            "column-0-minimum": "0",
            "column-0-maximum": "500,5",
            "column-0-unit": "m²",
            "column-1-gaps": "yes",
            "column-2-vocabulary": "gas\r\noil & wood\r\nwood",
            "column-3-maximum": "2025-12-31",
            "licence": "CC-BY-4.0",
            "purpose": "rents",
            "least_pay": "0.25",
        },
    )
    assert (response.status, response.headers["Location"]) == (303, "/data-sets/houses?changed=1")
    card = houses.card("houses")
    area, garden, heating, built, _ = card.columns
    assert (str(area.minimum), str(area.maximum), area.unit) == ("0", "500.5", "m²")
    assert garden.gaps
    assert heating.vocabulary == ("gas", "oil & wood", "wood")
    assert str(built.maximum) == "20453"
    assert (card.licence, card.purpose, card.least_pay_wei) == ("CC-BY-4.0", "rents", 25 * 10**16)
    assert set(houses.all()["houses"].declared) == {"area", "heating", "built"}
    assert "The card was changed." in await browser.get("/data-sets/houses?changed=1")


async def test_what_is_sent_as_it_was_declares_nothing(browser, houses):
    text = await browser.get("/data-sets/houses/card")
    values = dict(re.findall(r'<input id="(column-[^"]+)" name="[^"]+" value="([^"]*)"', text))
    assert len(values) > 5
    before = houses.card("houses")
    assert (await change(browser, **values)).status == 303
    assert houses.card("houses") == before
    assert houses.all()["houses"].declared == ()


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"column-0-minimum": "60"}, "column &#39;area&#39; runs from 40 to 99; its card says 60 to 99"),
        ({"column-0-minimum": "wide"}, "Give a number such as 12.5"),
        ({"column-3-minimum": "2020-02-30"}, "for dates a day such as 2024-02-29"),
        ({"column-2-vocabulary": "gas"}, "has levels that are not on its card: oil &amp; wood"),
        ({"least_pay": "-1"}, "Give an amount of ether from 0 to"),
        ({"column-0-kind": "boolean"}, "column &#39;area&#39; is numeric; its card says boolean"),
        ({"licence": "x" * 501}, "licence: must have at most 500 characters"),
    ],
)
async def test_what_cannot_be_changes_nothing_and_is_told(browser, houses, fields, told):
    before = houses.card("houses")
    response = await change(browser, **fields)
    text = await response.text()
    assert response.status == 422
    assert told in text
    assert any(escape(typed) in text for typed in fields.values()), "what was typed is still there"
    assert houses.card("houses") == before


async def test_words_of_single_rows_are_published_by_name_alone(browser, houses):
    response = await change(browser, listed="yes")
    text = await response.text()
    assert response.status == 422
    assert "Most words of name describe single rows" in text
    assert "Everybody may read every word of name" in text
    assert not houses.card("houses").listed
    response = await change(browser, listed="yes", **{"column-2-publish": "yes"})
    assert response.status == 422, "another column's name is not this one's"
    response = await change(browser, listed="yes", **{"column-4-publish": "yes"})
    assert response.status == 303
    assert 'data-listing="shown"' in await browser.get("/data-sets/houses")


async def test_a_card_is_listed_and_unlisted_where_it_is_shown(world, browser):
    add_rows(world)
    for listed, other in (("no", "yes"), ("yes", "no")):
        text = await browser.get("/data-sets/rows")
        response = await browser.post("/data-sets/rows/card", {"hash": card_hash(text), "listed": listed})
        assert response.status == 303
        assert f'name="listed" value="{other}"' in await browser.get("/data-sets/rows")
        assert world.owner.catalogue.card("rows").listed == (listed == "yes")


async def test_a_form_of_an_older_card_changes_nothing(browser, houses):
    old = card_hash(await browser.get("/data-sets/houses/card"))
    assert (await change(browser, purpose="rents")).status == 303
    response = await browser.post("/data-sets/houses/card", {"hash": old, "licence": "mine"})
    assert response.status == 409
    assert "The card has changed" in await response.text()
    assert houses.card("houses").licence == ""


async def test_a_listed_card_without_room_says_so(world, browser):
    for number in range(MOST_CARDS + 1):
        add_rows(world, f"rows-{number:02}", rows=8)
    last = await browser.get(f"/data-sets/rows-{MOST_CARDS}")
    assert 'data-listing="no-room"' in last
    assert "Take other data sets off the list" in last
    assert 'data-listing="shown"' in await browser.get("/data-sets/rows-00")
    listing = await browser.get("/data-sets")
    assert listing.count("no room") == 1


async def test_a_viewer_reads_cards_and_changes_none(world, houses):
    async with Browser(world) as viewer:
        await viewer.sign_in("victor")
        text = await viewer.get("/data-sets/houses")
        assert "oil &amp; wood" in text
        assert 'id="change-card"' not in text
        assert await viewer.status("/data-sets/houses/card") == 403
        response = await viewer.post("/data-sets/houses/card", {"listed": "yes"})
        assert response.status == 403
    assert not houses.card("houses").listed


async def test_a_card_of_nothing_is_not_there(browser):
    assert await browser.status("/data-sets/none/card") == 404


async def test_wide_cards_are_changed_a_page_at_a_time(world, browser):
    names = tuple(f"x{number}" for number in range(130))
    add_rows(world, "wide", rows=8, columns=names)
    first, second = [await browser.get(f"/data-sets/wide/card?page={page}") for page in (0, 1)]
    assert (first.count('class="card-column"'), second.count('class="card-column"')) == (100, 30)
    fields = {"hash": card_hash(second), "page": "1", "column-129-unit": "kg"}
    assert (await browser.post("/data-sets/wide/card", fields)).status == 303
    assert world.owner.catalogue.card("wide").columns[129].unit == "kg"


UPLOAD = b"area,zip,rent\n40,8001,100\n900,8002,200\n60,8001,300\n"


async def test_an_upload_is_declared_as_by_the_command(world, browser):
    ranges = {"ranges": "area=0:500\n\nrent=0:1000\n", "categorical": "zip"}
    _, text = await send(browser, UPLOAD, **ranges)
    assert "column &#39;area&#39; runs from 40 to 900; its card says 0 to 500" in text
    _, text = await send(browser, UPLOAD, outside="clip", **ranges)
    assert 'data-upload="added"' in text
    assert 'data-listing="words"' in text
    area, zip_code, rent = world.owner.catalogue.card("rows").columns
    assert (str(area.maximum), area.clipped, rent.clipped) == ("500", True, True)
    assert zip_code.vocabulary == ("8001", "8002")
    assert world.owner.catalogue.all()["rows"].declared == ("area", "rent")


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"ranges": "area"}, "write COLUMN=VALUE"),
        ({"ranges": "area=9"}, "write COLUMN=MINIMUM:MAXIMUM"),
        ({"ranges": "area=9:1", "outside": "clip"}, "write COLUMN=FROM:TO"),
        ({"ranges": "rooms=1:9"}, "has no column &#39;rooms&#39;"),
        ({"categorical": "rooms"}, "has no column &#39;rooms&#39;"),
    ],
)
async def test_declarations_that_fit_no_column_are_refused(world, browser, fields, told):
    _, text = await send(browser, UPLOAD, **fields)
    assert told in text
    assert world.owner.catalogue.list() == ()


async def test_an_upload_says_which_texts_no_request_can_ask_for(browser):
    rows = b"a,note\n" + b"".join(b"%d,seen %d\n" % (n, n) for n in range(300))
    _, text = await send(browser, rows)
    assert "Left off the card" in text
    assert "more than 256 different texts, or one that is too long: note." in text


async def test_a_card_that_changes_while_its_form_is_still_on_the_way_is_not_changed_back(
    world, browser, houses
):
    shown = card_hash(await browser.get("/data-sets/houses/card"))

    async def slowly():
        yield f"hash={shown}&".encode()
        await browser.get("/data-sets/houses")
        houses.set_card(houses.card("houses").model_copy(update={"licence": "CC0"}))
        yield b"purpose=study"

    headers = {
        "Origin": world.url,
        "X-CSRF-Token": browser.token,
        "Content-Type": "application/x-www-form-urlencoded",
    }
    path = "/data-sets/houses/card"
    async with browser.http.post(path, data=slowly(), headers=headers, allow_redirects=False) as response:
        assert response.status == 409
    assert (houses.card("houses").licence, houses.card("houses").purpose) == ("CC0", "")
