"""The README's request, targets and links are real."""

import re
from pathlib import Path

import pytest
import yaml

from protocol.request import StartMean
from protocol.request_parsing import parse_request
from protocol.roles.shared.request_widths import check_widths
from tests.support.deployment.documents import any_request

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = [
    "README.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "protocol/README.md",
    "deploy/README.md",
    "deploy/RUNBOOK.md",
]


def test_the_request_is_valid_and_fits_into_its_key() -> None:
    document = re.findall(r"```yaml\n(.*?)```", README, flags=re.DOTALL)
    request = parse_request(yaml.safe_load(document[0]))
    assert isinstance(request.start, StartMean)
    check_widths(request)


def test_the_columns_that_are_shown_are_valid() -> None:
    document = re.findall(r"```yaml\n(.*?)```", README, flags=re.DOTALL)
    columns = any_request(**yaml.safe_load(document[1])).features
    assert {column.kind for column in columns} == {"numeric", "boolean", "categorical", "date"}


def test_every_make_target_that_is_named_exists() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    named = set(re.findall(r"^make ([a-z]+)|`make ([a-z]+)", README, flags=re.MULTILINE))
    for target in {one or other for one, other in named}:
        assert re.search(rf"^{target}: ", makefile, flags=re.MULTILINE), target


def anchor(heading: str) -> str:
    return re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")


@pytest.mark.parametrize("page", PAGES)
def test_every_link_inside_the_repository_leads_somewhere(page: str) -> None:
    here = ROOT / page
    for link in re.findall(r"\]\(([^)]+)\)", here.read_text(encoding="utf-8")):
        if link.startswith("https://"):
            continue
        path, _, fragment = link.partition("#")
        target = here.parent / path if path else here
        assert target.exists(), link
        if fragment:
            headings = re.findall(r"^#+ (.+)$", target.read_text(encoding="utf-8"), flags=re.MULTILINE)
            assert fragment in [anchor(heading) for heading in headings], link
