"""An owner's console in a browser: deciding, data sets, policy, earnings."""

import re

import pytest
import pytest_asyncio
from playwright.async_api import Page, expect

from tests.support.console.chromium import assert_fits, screenshots
from tests.support.console.pages import LONG, Consoles, assert_accessible

pytestmark = pytest.mark.asyncio(loop_scope="session")

ROWS = b"age,bmi,progression\n" + b"".join(b"%d,%d.5,%d\n" % (n % 90, n % 7, 3 * n) for n in range(1, 400))
UNREADABLE = b"age,bmi\n1,2\n3,secret\n"


def file_of(content: bytes, name: str = "patients 2025.csv") -> dict[str, object]:
    return {"name": name, "mimeType": "text/csv", "buffer": content}


@pytest_asyncio.fixture(loop_scope="session")
async def page(consoles: Consoles) -> Page:
    await consoles.finished_training()
    await consoles.page.goto(f"{consoles.owners[0]}trainings")
    return consoles.page


async def test_a_training_shows_its_curve_its_role_and_its_pay(consoles: Consoles, page: Page) -> None:
    await page.locator("tr[data-training]", has=page.locator(".state-finished")).locator("a").first.click()
    await expect(page.locator("#status")).to_contain_text("Finished")
    await expect(page.locator("[data-figure=earned]")).to_contain_text("ETH")
    await expect(page.locator(".chart canvas").first).to_be_visible()
    await assert_fits(page)


async def test_a_person_decides_and_the_page_tells_what_comes_of_it(consoles: Consoles, page: Page) -> None:
    """The policy asks from now on; the request comes up on the open list by itself; accepting joins.

    Another owner's pay stays in the contract until a person withdraws it.
    """
    await _keep_pay_in_the_contract(page, consoles.owners[2])
    await page.goto(f"{consoles.owners[0]}policy")
    await page.uncheck("#automatic")
    await page.click("#save")
    await expect(page.get_by_role("status").first).to_contain_text("The daemon was told.")
    await expect(page.locator("#reset")).to_be_visible(timeout=LONG)
    await page.goto(f"{consoles.owners[0]}trainings")
    ordering = await page.context.new_page()
    await ordering.goto(consoles.start)
    before = await ordering.locator("#state li").count()
    await ordering.click("#train")
    await expect(ordering.locator("#state li")).to_have_count(before + 1, timeout=LONG)
    asking = page.locator("tr.asks")
    await expect(asking).to_have_count(1, timeout=LONG)
    await asking.locator("a").click()
    await expect(page.locator("#decision")).to_contain_text("Take part?")
    await expect(page.locator("[data-match=rows-1]")).to_contain_text("serves")
    await assert_fits(page)
    await page.click("#accept")
    await expect(page.get_by_role("status").first).to_contain_text("told to join")
    await expect(page.locator("#status")).to_contain_text("Finished", timeout=LONG)
    await page.goto(f"{consoles.owners[0]}policy")
    await page.click("#reset")
    await expect(page.locator("#automatic")).to_be_checked(timeout=LONG)
    await _withdraw(page, consoles.owners[2])


async def test_a_file_is_checked_added_and_removed(consoles: Consoles, page: Page) -> None:
    await page.goto(f"{consoles.owners[1]}data-sets")
    await page.set_input_files("#file", [file_of(UNREADABLE, "bad.csv")])
    await page.click("#upload")
    refused = page.locator("[data-upload=refused]")
    await expect(refused).to_contain_text("bad.csv, row 2: column 'bmi' is not numeric", timeout=LONG)
    await expect(refused).not_to_contain_text("secret")
    await page.set_input_files("#file", [file_of(ROWS)])
    await page.click("#check")
    await expect(page.locator("[data-upload=checked]")).to_contain_text("399 rows, 3 columns", timeout=LONG)
    await expect(page.locator(".preview tbody tr")).to_have_count(8)
    await assert_accessible(page)
    await screenshots(page, "owner-upload")
    await page.click("#upload")
    await expect(page.locator("[data-upload=added]")).to_be_visible(timeout=LONG)
    added = page.locator("[data-data-set=patients-2025]")
    await expect(added).to_be_visible()
    await added.locator("a").click()
    await expect(page.locator("h1")).to_have_text("patients-2025")
    await page.click("#remove-details summary")
    await page.click("#remove")
    await expect(page.locator("[data-data-set=rows-2]")).to_be_visible()
    await expect(page.locator("[data-data-set=patients-2025]")).to_have_count(0)


async def test_a_wrong_policy_comes_back_with_its_problem(consoles: Consoles, page: Page) -> None:
    await page.goto(f"{consoles.owners[1]}policy")
    await page.fill("#buyers", "somebody")
    await page.click("#save")
    await expect(page.locator("#problem-buyers")).to_contain_text("40 hexadecimal digits")
    await expect(page.locator("#buyers")).to_have_value("somebody")


async def test_a_training_is_declined(consoles: Consoles, page: Page) -> None:
    owner = consoles.owners[3]
    await page.goto(f"{owner}policy")
    await page.uncheck("#automatic")
    await page.click("#save")
    await consoles.another_training()
    await page.goto(f"{owner}trainings")
    asks = page.locator("tr.asks").first
    await expect(asks).to_be_visible(timeout=LONG)
    await asks.get_by_role("link").click()
    await page.click("#decline")
    await expect(page.get_by_role("status").first).to_contain_text("told to decline")
    await expect(page.locator("#status .state-declined")).to_be_visible(timeout=LONG)
    await page.goto(f"{owner}policy")
    await page.click("#reset")
    await expect(page.locator("#automatic")).to_be_checked()


async def _keep_pay_in_the_contract(page: Page, owner: str) -> None:
    await page.goto(f"{owner}policy")
    await page.uncheck("#withdraw")
    await page.click("#save")
    await expect(page.locator("#withdraw")).not_to_be_checked()


async def _withdraw(page: Page, owner: str) -> None:
    await page.goto(f"{owner}earnings")
    credit = page.locator("[data-figure=credit]")
    await expect(credit).not_to_have_text(re.compile(r"^0 ETH"), timeout=LONG)
    await page.reload()
    await page.click("#withdraw")
    await expect(credit).to_have_text(re.compile(r"^0 ETH"), timeout=LONG)
    await page.goto(f"{owner}policy")
    await page.click("#reset")
    await expect(page.locator("#withdraw")).to_be_checked()
