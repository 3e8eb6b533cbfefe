"""An owner's data sets on the console: uploads, what they may be, what stays of them, and removing one."""

import io
import stat
from contextlib import asynccontextmanager

import pyarrow as pa
import pytest
from aiohttp import FormData
from pyarrow import parquet

from services.data.sandboxed_reader import read_apart
from tests.support.console.owner import add_rows, count, put, read_here
from tests.support.console.world import Browser, ConsoleWorld

CSV = b"age,bmi,progression\n0.5,0.25,101.5\n0.75,0.5,202.5\n0.1,0.9,303.5\n"


@asynccontextmanager
async def signed_in(folder, **resources):
    """An owner's browser on the page of its data sets; `resources` are the owner's beyond the catalogue."""
    async with (
        ConsoleWorld(folder, "data_owner", resources=resources).running() as world,
        Browser(world) as browser,
    ):
        await browser.sign_in()
        await browser.get("/data-sets")
        yield browser


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


async def send(browser, content=CSV, file_name="rows.csv", *, script=True, headers=None, **fields):
    """(status, text) of an upload as the page sends it, with the token in a header, or without scripts."""
    form = FormData(quote_fields=False)  # as browsers send names
    if not script:
        form.add_field("csrf", browser.token)
    for name, value in fields.items():
        form.add_field(name, value)
    form.add_field("file", content, filename=file_name, content_type="application/octet-stream")
    scripted = {"X-CSRF-Token": browser.token, "HX-Request": "true"} if script else {}
    headers = {"Origin": browser.world.url, **scripted, **(headers or {})}
    async with browser.http.post("/data-sets", data=form, headers=headers) as response:
        return response.status, await response.text()


def names(world):
    return [entry.name for entry in world.owner.catalogue.list()]


def left_behind(world):
    folder = world.owner.catalogue.folder / ".uploads"
    return list(folder.iterdir()) if folder.exists() else []


async def test_an_upload_is_added_shown_once_and_gone(world, browser):
    status, text = await send(browser, name="patients", action="add")
    assert status == 200
    assert 'data-upload="added"' in text
    assert "303.5" in text, "the first rows are shown to who sent them"
    entry = world.owner.catalogue.entry("patients")
    assert (entry.rows, entry.source) == (3, "upload: rows.csv")
    assert [column.name for column in entry.columns] == ["age", "bmi", "progression"]
    assert left_behind(world) == []
    for place in ("/data-sets", "/data-sets/patients"):
        assert "202.5" not in await browser.get(place), "no row is shown again"


async def test_columns_of_every_kind_are_shown_as_what_they_are(world, browser):
    kinds = "area,garden,heating,built,name\n50.5,yes,gas & co,2000-01-08,a0\n,no,oil,1999-12-25,a1\n"
    rows = "".join(f"70,no,oil,2001-02-03,b{number}\n" for number in range(300))
    status, text = await send(browser, (kinds + rows).encode())
    assert status == 200
    page = await browser.get("/data-sets/rows")
    for shown in (text, page):
        assert '<td colspan="2">gas &amp; co, oil</td>' in shown
        assert '<td class="figure">1999-12-25</td><td class="figure">2001-02-03</td>' in shown
        assert "texts that requests cannot ask for" in shown
    assert '<td class="figure">gas &amp; co</td>' in text
    assert '<td class="figure">–</td>' in text, "a gap"


async def test_the_name_is_the_files_when_none_is_typed(world, browser):
    await send(browser, file_name="../../etc/Nuñez & co.csv")
    assert names(world) == ["Nunez-co"]


async def test_a_check_adds_nothing(world, browser):
    status, text = await send(browser, action="check")
    assert status == 200
    assert 'data-upload="checked"' in text
    assert names(world) == []
    assert left_behind(world) == []


async def test_only_the_chosen_columns_are_kept(world, browser):
    await send(browser, columns="progression, age")
    assert [one.name for one in world.owner.catalogue.entry("rows").columns] == ["progression", "age"]


async def test_the_index_of_pandas_is_left_out_and_named(world, browser):
    file = io.BytesIO()
    parquet.write_table(pa.table({"age": [1.0, 2.0], "__index_level_0__": [7, 8]}), file)
    _, text = await send(browser, file.getvalue(), "rows.parquet")
    assert "Left out, because pandas stored its index there: __index_level_0__." in text
    assert [one.name for one in world.owner.catalogue.entry("rows").columns] == ["age"]
    _, text = await send(browser, name="without")
    assert "Left out" not in text


async def test_a_name_in_use_needs_a_word(world, browser):
    add_rows(world)
    _, text = await send(browser)
    assert "there is a data set &#39;rows&#39; already" in text
    assert world.owner.catalogue.entry("rows").rows == 60
    await send(browser, replace="yes")
    assert world.owner.catalogue.entry("rows").rows == 3


@pytest.mark.parametrize(
    ("content", "file_name", "told"),
    [
        (b"age,bmi\n1,2\n3,secret\n", "rows.csv", "rows.csv, row 2: column &#39;bmi&#39; is not numeric"),
        (b"age,bmi\n1,2\n3\n", "rows.csv", "rows.csv, row 2: 1 values for 2 columns"),
        (b"age,bmi\n1,\n", "rows.csv", "column &#39;bmi&#39; has no value"),
        (b"", "rows.csv", "rows.csv is empty"),
        (b"not parquet", "rows.parquet", "is not a Parquet file"),
        (CSV, "rows.xlsx", "rows.xlsx is not a .csv or .parquet file"),
        (CSV, "", "choose a file"),
    ],
)
async def test_what_cannot_be_read_says_where(world, browser, content, file_name, told):
    status, text = await send(browser, content, file_name)
    assert status == 200
    assert 'data-upload="refused"' in text
    assert told in text
    assert "secret" not in text
    assert str(world.owner.catalogue.folder) not in text
    assert names(world) == []
    assert left_behind(world) == []


async def test_a_name_that_is_no_name_is_refused(world, browser):
    _, text = await send(browser, name="../../elsewhere")
    assert "cannot name a data set" in text
    assert names(world) == []


async def test_columns_and_files_with_markup_in_their_names_are_text(world, browser):
    header = b'<script>alert(1)</script>,"<img src=x onerror=alert(2)>"\n1,2\n3,4\n'
    _, text = await send(browser, header, "<b>rows<b>.csv", name="marked")
    page = await browser.get("/data-sets/marked")
    for shown in (text, page):
        assert "<script>alert" not in shown
        assert "<img src=x" not in shown
        assert "&lt;script&gt;alert(1)" in shown


async def test_a_file_that_is_too_large_is_not_kept(tmp_path):
    async with signed_in(tmp_path, largest_upload=1000) as browser:
        status, _ = await send(browser, CSV * 3000)
        assert status == 413
        assert left_behind(browser.world) == []
        assert names(browser.world) == []


async def test_a_page_without_scripts_gets_a_page(world, browser):
    status, text = await send(browser, script=False)
    assert (status, names(world)) == (200, ["rows"])
    assert "<html" in text
    status, text = await send(browser, script=False)
    assert status == 422
    assert "already" in text


@pytest.mark.parametrize("headers", [{"X-CSRF-Token": "forged"}, {"Origin": "https://elsewhere.example"}])
async def test_a_forged_upload_is_refused_unread(world, browser, headers):
    status, _ = await send(browser, headers=headers)
    assert status == 403
    assert names(world) == []


async def test_a_viewer_uploads_and_removes_nothing(world):
    add_rows(world)
    async with Browser(world) as browser:
        await browser.sign_in("victor")
        assert 'id="upload-form"' not in await browser.get("/data-sets")
        await browser.get("/trainings")
        assert (await send(browser, name="other"))[0] == 403
        assert (await browser.post("/data-sets/rows/remove")).status == 403
    assert names(world) == ["rows"]


async def test_a_data_set_is_removed_and_its_count_stays(world, browser):
    add_rows(world)
    count(world.store, 7, numbers=43)
    page = await browser.get("/data-sets/rows")
    assert "Columns and their ranges" in page
    assert "bmi" in page
    assert "<dd>43<small>numbers, in all trainings" in page
    assert 'data-label="Published numbers">43</td>' in await browser.get("/data-sets")
    response = await browser.post("/data-sets/rows/remove")
    assert response.headers["Location"] == "/data-sets"
    assert names(world) == []
    assert 'data-budget="rows"' in await browser.get("/policy")
    assert (await browser.post("/data-sets/rows/remove")).status == 404


async def test_what_a_training_under_way_needs_stays_as_it_is(world, browser):
    add_rows(world)
    put(world, phase="running")
    assert (await browser.post("/data-sets/rows/remove")).status == 409
    _, text = await send(browser, replace="yes")
    assert "a training under way needs &#39;rows&#39;" in text
    assert world.owner.catalogue.entry("rows").rows == 60


async def test_an_upload_lies_where_only_its_owner_can_read_it(tmp_path):
    modes = []

    async def looking(path, declared, name):
        modes.append((stat.S_IMODE(path.stat().st_mode), stat.S_IMODE(path.parent.stat().st_mode)))
        return await read_apart(path, declared, name)

    async with signed_in(tmp_path, read_upload=looking) as browser:
        await send(browser)
    assert modes == [(0o600, 0o700)]


async def test_strays_are_named_and_stop_no_page(world, browser):
    add_rows(world)
    (world.owner.catalogue.folder / "rows (1).dataset").touch(mode=0o600)
    (world.owner.catalogue.folder / "rows<b>.dataset").touch(mode=0o600)
    page = await browser.get("/data-sets")
    assert "rows (1).dataset" in page
    assert "rows&lt;b&gt;.dataset" in page
    assert names(world) == ["rows"]
