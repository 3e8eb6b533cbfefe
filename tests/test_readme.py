"""The README's request, targets and links are real."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from protocol.data_set import card_of
from protocol.messages import TrainingOrder
from protocol.request_parsing import parse_request
from protocol.request_sections import StartMean
from protocol.roles.shared.request_widths import check_widths
from services.cli import order_sending
from services.common.documents import load_request
from services.config.daemons import load
from services.data.row_reader import read_statistic
from services.records.order_answers import ACCEPTED, OrderAnswer
from services.store import Store
from tests.deltaml.participant_files import HUB, participant, told
from tests.support.console.trainings import finished_training
from tests.support.daemons.command_line import run
from tests.support.deployment.documents import any_request
from tests.support.tables import mixed_houses, write_columns

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
FIRST = (1).to_bytes(16, "big")
"""The message id of the order of training 1."""
PAGES = [
    "README.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "protocol/README.md",
    "protocol/CKKS.md",
    "protocol/crypto/native/README.md",
    "deploy/README.md",
    "deploy/RUNBOOK.md",
    "deltaml/examples/breast_cancer.md",
    "deltaml/examples/doctor_visits.md",
    "deltaml/examples/months_until_death.md",
    "deltaml/examples/patients_by_age.md",
    "deltaml/examples/unlike_patients.md",
    "tests/benchmarks/RESULTS.md",
    "tests/benchmarks/PEERS.md",
    "tests/benchmarks/GROWTH.md",
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
    named = set(re.findall(r"^make ([a-z-]+)|`make ([a-z-]+)", README, flags=re.MULTILINE))
    for target in {one or other for one, other in named}:
        assert re.search(rf"^{target}: ", makefile, flags=re.MULTILINE), target


PATH = (
    *("admin market", "admin market"),
    *("request suggest", "datasets add", "datasets card", "datasets match", "market match"),
    *("train request.yaml", "show 1", "show 1", "predict bought.json"),
)


@pytest.fixture
def market(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folders of a buyer and an owner, whose daemons answer at once, and a reader's files beside them."""
    monkeypatch.chdir(tmp_path)
    for party, kind in (("buyer", "model-buyer"), ("owner-1", "data-owner")):
        folder = tmp_path / "market" / party
        folder.mkdir(parents=True)
        config, _address, store = participant(folder, kind)
        config.rename(folder / "config.yaml")
        store.close()
    write_columns(tmp_path / "sample.csv", {"id": [*range(200)], **mixed_houses(200, seed=11)})
    rows = write_columns(tmp_path / "rows.csv", mixed_houses(300))
    write_columns(tmp_path / "new.csv", {"age": [50, 60], "bmi": [20, 30]})
    store = Store(load(tmp_path / "market" / "buyer" / "config.yaml").store)
    card = card_of("houses", read_statistic(rows))
    told(store, {f"0x{number:040x}": card for number in range(4)}, 4_000_000_000)

    def send(_config: object, _role: str, body: TrainingOrder, _training: int) -> bytes:
        store.note(*OrderAnswer(ACCEPTED).fact(FIRST, body.type), 1.0)
        finished_training(store)
        return FIRST

    monkeypatch.setattr(order_sending, "send_order", send)
    yield tmp_path
    store.close()


def test_the_path_from_a_sample_to_predictions_runs_as_it_is_written(market: Path) -> None:
    blocks = re.findall(r"```sh\n(.*?)```", README, flags=re.DOTALL)
    [block] = [block for block in blocks if "deltaml request suggest" in block]
    commands = [shlex.split(line, comments=True) for line in block.splitlines()]
    assert [" ".join(words[1:3]) for words in commands] == list(PATH)
    told = [run(*words[1:]).stdout for words in commands[2:]]
    assert load_request(market / "request.yaml").aggregator == HUB
    assert "the request would reach 4 of 4 owners; it needs 4" in told[4]
    assert "training 1: FINISHED" in told[5]
    assert told[-1] == "predicted_progression\n164.625\n152.125\n"


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
