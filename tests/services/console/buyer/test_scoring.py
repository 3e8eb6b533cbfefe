"""A bought model scored on rows of the buyer's own: what is told, what is kept and who may."""

import html
import io
import json
import re
import stat
import tempfile

import pytest
from aiohttp import FormData

from services.console.buyer.scoring import uploads_folder
from services.records.own_scores import kept_scores
from tests.support.console.trainings import finished_training, running_training
from tests.support.console.world import Browser
from tests.support.daemons.service_world import MARKET

ROWS = b"age,bmi,progression\n40,25,140\n60,22,180\n50,30,140\n"
MANY = ROWS + b"40,25,140\n" * 27
FORECAST = [1.25 * 40 - 2.5 * 25 + 152.125, 1.25 * 60 - 2.5 * 22 + 152.125, 1.25 * 50 - 2.5 * 30 + 152.125]
MAE = sum(abs(a - b) for a, b in zip(FORECAST, (140, 180, 140), strict=True)) / 3


async def send(browser, key, content=ROWS, file_name="rows.csv", **headers):
    form = FormData(quote_fields=False)
    form.add_field("csrf", browser.token)
    form.add_field("file", io.BytesIO(content), filename=file_name)
    sent = {"Origin": browser.world.url, **headers}
    response = await browser.http.post(
        f"/trainings/{key}/scores", data=form, headers=sent, allow_redirects=False
    )
    text = await response.text()
    assert "<b>" not in text
    return response.status, html.unescape(text)


def by_script(browser):
    return {"HX-Request": "true", "X-CSRF-Token": browser.token}


@pytest.mark.parametrize("scripted", [True, False])
async def test_the_figures_are_told_and_kept_and_the_rows_are_not(world, browser, scripted):
    key = finished_training(world.store)
    status, text = await send(browser, key, **(by_script(browser) if scripted else {}))
    assert status == (200 if scripted else 303)
    page = await browser.get(f"/trainings/{key}")
    for shown in (text, page) if scripted else (page,):
        assert re.search(rf"Mean absolute error \(MAE\)</dt><dd>{MAE:.5g}", shown)
        assert 'id="remove-scores"' in shown
    kept = kept_scores(world.store, key)
    assert (kept.rows, kept.figures["mae"]) == (3, pytest.approx(MAE))
    assert set(kept.figures) == {"mse", "rmse", "mae", "r2"}
    assert list(world.buyer.uploads.iterdir()) == []


async def test_the_card_has_them_until_they_are_removed(world, browser):
    key = finished_training(world.store)
    await send(browser, key, MANY)
    assert 'id="scores-private"' not in await browser.get(f"/trainings/{key}")
    assert "Scores on the buyer's own rows" in await browser.get(f"/trainings/{key}/card.md")
    assert json.loads(await browser.get(f"/trainings/{key}/card.json"))["own_scores"]["rows"] == 30
    assert (await browser.post(f"/trainings/{key}/scores/remove")).status == 303
    assert kept_scores(world.store, key) is None
    assert "Scores on" not in await browser.get(f"/trainings/{key}/card.md")


async def test_of_few_rows_the_buyers_page_alone_has_the_figures(world, browser):
    key = finished_training(world.store)
    await send(browser, key)
    assert 'id="scores-private"' in await browser.get(f"/trainings/{key}")
    assert "Scores on" not in await browser.get(f"/trainings/{key}/card.md")
    assert json.loads(await browser.get(f"/trainings/{key}/card.json"))["own_scores"] is None


async def test_new_figures_take_the_place_of_the_old(world, browser):
    key = finished_training(world.store)
    await send(browser, key)
    await send(browser, key, b"age,bmi,progression\n40,25,140\n")
    assert kept_scores(world.store, key).rows == 1


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"age,bmi\n1,2\n", "rows.csv has no column 'progression': scores compare predictions with it"),
        (b"age,progression\n1,2\n", "rows.csv has no column 'bmi'"),
        (b"age,bmi,progression\n1,2,\n", "rows.csv, row 1: column 'progression' has no value"),
        (b"age,bmi,progression\n1,x,3\n", "rows.csv, row 1: column 'bmi' is not numeric"),
        (b"age,bmi,progression\n", "rows.csv has a header but no rows"),
        (b"", "rows.csv is empty"),
    ],
)
async def test_a_file_that_cannot_be_used_is_told_and_changes_nothing(world, browser, content, told):
    key = finished_training(world.store)
    await send(browser, key)
    for headers, status in ((by_script(browser), 200), ({}, 422)):
        answered, text = await send(browser, key, content, **headers)
        assert answered == status
        assert told in text
        assert str(world.buyer.uploads) not in text
    assert kept_scores(world.store, key).rows == 3
    assert list(world.buyer.uploads.iterdir()) == []


async def test_without_a_file_nothing_is_scored(world, browser):
    key = finished_training(world.store)
    response = await browser.post(f"/trainings/{key}/scores", {"file": ""})
    assert response.status == 422
    assert kept_scores(world.store, key) is None


async def test_there_is_nothing_to_score_before_the_model_is_there(world, browser):
    key = running_training(world.store)
    assert "Scores on your own rows" not in await browser.get(f"/trainings/{key}")
    assert (await send(browser, key))[0] == 404


async def test_a_viewer_sees_the_figures_and_cannot_change_them(world, browser):
    key = finished_training(world.store)
    await send(browser, key)
    async with Browser(world) as viewer:
        await viewer.sign_in("victor")
        page = await viewer.get(f"/trainings/{key}")
        assert "Mean absolute error" in page
        assert 'id="score-form"' not in page
        assert (await send(viewer, key))[0] == 403
        assert (await viewer.post(f"/trainings/{key}/scores/remove")).status == 403
    assert kept_scores(world.store, key).rows == 3


async def test_a_file_beyond_the_limit_is_refused(world, browser):
    key = finished_training(world.store)
    large = b"x" * ((2 << 20) + 1)
    assert (await send(browser, key, large))[0] == 413
    assert kept_scores(world.store, key) is None


async def test_scores_are_told_in_the_readers_language(world, browser):
    key = finished_training(world.store)
    await send(browser, key)
    await browser.post("/preferences", {"language": "es", "next": "/trainings"})
    assert "Error absoluto medio (MAE)" in await browser.get(f"/trainings/{key}")


def test_rows_that_a_crash_left_are_gone_at_the_next_start(tmp_path):
    folder = uploads_folder(tmp_path, MARKET, "0xa1")
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    (folder / "half.csv").write_bytes(ROWS)
    assert uploads_folder(tmp_path, MARKET, "0xa1") == folder
    assert list(folder.iterdir()) == []


def test_with_a_database_server_too_rows_that_a_crash_left_are_gone(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    other, left = uploads_folder(None, MARKET, "0xb2"), uploads_folder(None, MARKET, "0xa1")
    for folder in (other, left):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        (folder / "half.csv").write_bytes(ROWS)
    aside = left.with_name(f"{left.name}-link")
    aside.symlink_to(other)
    folder = uploads_folder(None, MARKET, "0xa1")
    assert not left.exists()
    assert set(tmp_path.iterdir()) == {folder, other, aside}
    assert list(folder.iterdir()) == []
    assert (other / "half.csv").exists(), "another party's, and what a link leads to"


@pytest.mark.parametrize("beside_a_file", [True, False])
def test_what_another_markets_daemon_reads_stays_where_one_starts(tmp_path, monkeypatch, beside_a_file):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    beside = tmp_path if beside_a_file else None
    first = uploads_folder(beside, MARKET, "0xa1")
    (first / "rows.csv").write_bytes(ROWS)
    for market, party in ((MARKET.model_copy(update={"chain_id": 2}), "0xa1"), (MARKET, "0xb2")):
        assert uploads_folder(beside, market, party) != first
    assert (first / "rows.csv").read_bytes() == ROWS


async def test_a_files_name_is_shown_and_is_no_markup(world, browser):
    key = finished_training(world.store)
    _status, text = await send(browser, key, file_name="<b>.txt", **by_script(browser))
    assert "<b>.txt is not a .csv or .parquet file" in text
