"""The order form filled from a sample: as the command does it, in the browser alone.

With DELTAML_ALL_TABLES for three times as many tables.
"""

import os

import numpy as np
import pytest
import pytest_asyncio
from playwright.async_api import expect

from protocol.errors import MisuseError
from protocol.request_parsing import parse_request
from services.console.buyer.order_columns import COLUMN_PARTS
from services.console.buyer.order_fields import FIELDS
from services.console.buyer.order_form import check, document_of, fresh
from services.data.request_suggestion import Choices, suggest
from tests.support.console.chromium import Watched, screenshots, visitor
from tests.support.console.pages import assert_accessible
from tests.support.console.world import PASSWORD, ConsoleWorld
from tests.support.deployment.documents import AGGREGATOR

pytestmark = pytest.mark.asyncio(loop_scope="session")

TABLES = 120 if "DELTAML_ALL_TABLES" in os.environ else 40
"""What is suggested for each by the browser is compared with what the command suggests."""

SUGGESTED = """async ([address, samples]) => {
  const { suggest } = await import(address);
  const attempt = (...sample) => { try { return suggest(...sample); } catch (e) { return e.code; } };
  return samples.map((sample) => attempt(...sample));
}"""
INPUTS = """() => Object.fromEntries(new FormData(document.getElementById("request-form")))"""
REFUSED = {
    "a;b\n1;2\n": "Save the file with commas between values and points in numbers.",
    "1,2\n3,4\n": "The first row holds numbers: put the columns' names there.",
    "a,b\n1\0,2\n": "This is not a CSV file in UTF-8.",
    'a,b\n1,"2\n': "b A quote is not closed",
    "a,b\n1,2,3\n": "b Row 1 does not fit the header. Values: 3, columns: 2.",
    "a,b\n": "b The file has a header but no rows",
    "a,b\n1,2\n2,2\n": "b b cannot be predicted",
    "a,b\nx,2\n2,3\n": "b There is no other column to predict b from",
}
"""What is said of a file when it is chosen; after "b ", when the form is to be filled."""


@pytest_asyncio.fixture(loop_scope="session")
async def page(browser, tmp_path):
    """The order form; at its end it has had nothing to complain of."""
    async with ConsoleWorld(tmp_path).running() as world:
        shown = await (await visitor(browser)).new_page()
        watched = Watched(shown)
        await shown.goto(f"{world.url}/trainings/new")
        await shown.fill("#name", "olga")
        await shown.fill("#password", PASSWORD)
        await shown.click("#sign-in")
        await expect(shown.locator("#sample-details")).to_be_visible()
        yield shown
        assert watched.complaints == []


def numbers(generator, rows):
    """A column of numbers, of some kind that tables have."""
    scale = 10.0 ** generator.integers(-9, 10)
    kinds = (
        lambda: generator.integers(-9, 10, rows),
        lambda: generator.integers(0, 2, rows),
        lambda: np.round(generator.lognormal(3, 2, rows), 2),
        lambda: generator.normal(0, scale, rows),
        lambda: generator.uniform(scale, 3 * scale, rows),
        lambda: -generator.exponential(scale, rows),
        lambda: 1e15 + generator.integers(0, 99, rows) * generator.choice([1, 1e9]),
        lambda: np.full(rows, 7),
        lambda: np.arange(rows)[:: generator.choice([1, -1])] * generator.integers(1, 4),
        lambda: generator.permutation(rows) + 1000,
    )
    return [str(value) for value in kinds[generator.integers(len(kinds))]().tolist()]


def words(generator, rows):
    """A column of truth values, levels, dates, or of numbers that are written otherwise."""
    days = np.datetime64("1999-12-31") + generator.integers(0, generator.choice([40, 9000]), rows)
    kinds = (
        lambda: generator.choice(["yes", "No", "TRUE", "n"], rows),
        lambda: generator.choice(["gas", "oil", "wood \u00e9", "Gas"], rows, p=[0.5, 0.3, 0.15, 0.05]),
        lambda: days,
        lambda: ["9999-12-31", *days[1:]],
        lambda: [f"{day}T12:30" for day in days],
        lambda: [f"{number} km" for number in range(rows)],
        lambda: [f"text {number}" for number in range(rows)],
        lambda: generator.choice(["1", "2", "three"], rows),
    )
    return [str(value) for value in kinds[generator.integers(len(kinds))]()]


CHOSEN = ("plain", "año", "skewed", "last")
"""Of every table: names that need no quotes."""


def table(seed):
    """A CSV file with columns of all kinds, some with gaps, names in quotes; the last can be predicted."""
    generator = np.random.default_rng(seed)
    rows = int(generator.integers(2, 60))
    columns = [
        numbers(generator, rows),
        *(words(generator, rows) for _ in range(3)),
        numbers(generator, rows),
    ]
    columns[int(generator.integers(3))][int(generator.integers(rows))] = ["", "NA", "x y", "1"][seed % 4]
    skewed = np.exp(generator.normal(0, 1.5, rows))
    columns.insert(1, [repr(value) for value in skewed.tolist()])
    if seed % 2:
        columns[-1] = [repr(value) for value in (np.log(skewed) + generator.normal(0, 0.1, rows)).tolist()]
    names = [
        "plain" if seed % 5 else "plain_id",
        "skewed",
        '" with, comma "' if seed % 2 else '"with, comma"',
        '"two ""quotes"""',
        "año",
        "last",
    ]
    end = "\r\n" if seed % 3 else "\n"
    lines = [",".join(names), *map(",".join, zip(*columns, strict=True))]
    return end.join(lines) + (end if seed % 2 else "")


def in_form(found):
    """The form's inputs for what the browser suggests."""
    inputs = {
        f"feature-{n}-{part}": text for n, one in enumerate(found["features"]) for part, text in one.items()
    }
    target = {f"target-{part}": found["target"][part] for part in COLUMN_PARTS}
    filled = {"columns": str(len(found["features"])), "start": "mean", "start_value": found["target"]["mean"]}
    return {**fresh(), **inputs, **target, **filled, "name": "x", "aggregator": AGGREGATOR}


def by_command(tmp_path, text, columns=None):
    """The columns, target and start that `deltaml request suggest` has; None where it refuses."""
    sample = tmp_path / "sample.csv"
    sample.write_bytes(text.encode())
    try:
        return parts(suggest(sample, Choices("last", "x", columns=columns)).request)
    except MisuseError:
        return None


def parts(request):
    return request.features, request.target, request.start


async def test_the_browser_suggests_what_the_command_suggests(page, tmp_path):
    texts = [table(seed) for seed in range(TABLES)]
    address = await page.locator("#sample-details").get_attribute("data-rules")
    found = await page.evaluate(SUGGESTED, [address, [[text, "last"] for text in texts]])
    expected = [by_command(tmp_path, text) for text in texts]
    for seed, (one, wanted) in enumerate(zip(found, expected, strict=True)):
        assert (isinstance(one, str) and wanted is None) or parts(
            parse_request(document_of(in_form(one)))
        ) == wanted, seed
    kinds = {column.kind for one in expected if one for column in one[0]}
    assert kinds == {"numeric", "boolean", "categorical", "date"}
    assert any(column.log for one in expected if one for column in one[0] if column.kind == "numeric")
    assert sum(one is None for one in expected) < len(texts) / 2


async def test_columns_that_are_chosen_are_those_of_the_command(page, tmp_path):
    texts = [table(seed) for seed in range(1, TABLES // 3) if seed % 5]
    address = await page.locator("#sample-details").get_attribute("data-rules")
    found = await page.evaluate(SUGGESTED, [address, [[text, "last", CHOSEN] for text in texts]])
    for text, one in zip(texts, found, strict=True):
        wanted = by_command(tmp_path, text, CHOSEN)
        assert (None if isinstance(one, str) else parts(parse_request(document_of(in_form(one))))) == wanted


async def test_extreme_values_and_long_cells_are_taken_as_the_command_takes_them(page, tmp_path):
    columns = {
        "for ever": ["2019-05-04", "9999-12-31", "9999-12-31"],
        "since ever": ["0001-01-01", "0001-01-02", "2000-01-01"],
        "no year": ["0000-01-01", "0001-01-02", "2000-01-01"],
        "huge": ["1e308", "-1e308", "1"],
        "large": ["9e29", "-9e29", "1"],
        "tiny": ["5e-324", "1e-300", "1e-310"],
        "small": ["1e-28", "3e-28", "1e-27"],
        "mixed": ["1e-20", "1", "2"],
        "digits": ["1" * 50_000 + "x", "2", "3"],
        "spaces": ["1" + " " * 50_000 + "!", "2", "3"],
    }
    samples = [
        f"{name},last\n" + "".join(f"{one},{n}\n" for n, one in enumerate(cells))
        for name, cells in columns.items()
    ]
    address = await page.locator("#sample-details").get_attribute("data-rules")
    found = await page.evaluate(SUGGESTED, [address, [[text, "last"] for text in samples]])
    for name, text, one in zip(columns, samples, found, strict=True):
        wanted = by_command(tmp_path, text)
        assert (
            parts(parse_request(document_of(in_form(one)))) if isinstance(one, dict) else None
        ) == wanted, name
    taken = [name for name, one in zip(columns, found, strict=True) if isinstance(one, dict)]
    assert taken == ["for ever", "since ever", "large", "small", "mixed"]


async def test_a_sample_fills_the_form_and_never_leaves(page, tmp_path):
    numbers = [f"{1234567 + n * 1013},{n * 1.25 + 0.0625},{n % 7 * 10 + 100}" for n in range(60)]
    rows = [f"Sesame Street {n},{['gas', 'oil'][n % 2]},{row}" for n, row in enumerate(numbers)]
    sample = tmp_path / "houses.csv"
    sample.write_text("\n".join(["street,heating,tax,distance,price", *rows]))
    assert suggest(sample, Choices("price", "houses")).left_out.keys() == {"street", "tax"}
    sent = []
    page.on("request", lambda request: sent.append((request.url, request.post_data or "")))
    await page.fill("#aggregator", AGGREGATOR)
    await page.fill("#purpose", "to compare")
    await page.click("#sample-details summary")
    await page.set_input_files("#sample-file", sample)
    await expect(page.locator("#sample-target")).to_have_value("price")
    await assert_accessible(page)
    await page.click("#sample-fill")
    await expect(page.locator("#sample-said")).to_contain_text("Left out: tax, which counts the rows")
    await page.select_option("#sample-columns", ["street", "heating", "tax", "distance"])
    await page.click("#sample-fill")
    await expect(page.locator("#sample-said")).to_contain_text("Nothing was uploaded")
    await expect(page.locator("#sample-said")).to_contain_text(
        "Left out: street, which holds texts, fewer than two of which stand in several rows."
    )
    await expect(page.locator("#feature-2-name")).to_have_value("distance")
    await screenshots(page, "buyer-order-sample")
    values = await page.evaluate(INPUTS)
    choices = Choices("price", "houses", AGGREGATOR, columns=["street", "heating", "tax", "distance"])
    wanted = suggest(sample, choices).request
    assert check(values).request == wanted.model_copy(update={"purpose": "to compare"})
    assert {field.name for field in FIELDS} <= {*values, "intercept", "inference"}, (
        "boxes without a tick are not sent"
    )
    await expect(page.locator("#check")).to_contain_text("price")
    assert any(address.endswith("/trainings/new/form") for address, _body in sent)
    told = [text for one in sent for text in one]
    secrets = ["Sesame", "street", *(cell for row in rows for cell in row.split(",")[2:4])]
    assert [secret for secret in secrets if any(secret in text for text in told)] == []


async def test_a_file_that_is_no_sample_is_told_in_words(page, tmp_path):
    await page.click("#sample-details summary")
    for number, (text, said) in enumerate(REFUSED.items()):
        sample = tmp_path / f"{number}.csv"
        sample.write_text(text)
        await page.set_input_files("#sample-file", sample)
        await expect(page.locator("#sample-said")).to_have_text("" if said.startswith("b ") else said)
        if said.startswith("b "):
            await page.click("#sample-fill")
            await expect(page.locator("#sample-said")).to_contain_text(said.removeprefix("b "))
