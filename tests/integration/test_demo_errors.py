"""Whatever is wrong with a demo is said once: the value, the bound, the remedy; nothing is left behind."""

import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.daemons.command_line import run

ROOT = Path(__file__).parents[2]
LINE = "import sys; sys.argv = ['deltaml', *sys.argv[1:]]; from services.cli import main; main()"


@pytest.fixture
def folder(tmp_path):
    """An empty folder that every test must leave as it found it, but for the rows it made itself."""
    made = tmp_path / "results"
    made.mkdir()
    return made


def demo(folder, *arguments, status=2):
    """The error text of a demo that must end with this status, leaving no result behind.

    What can be refused is refused before anything starts.
    """
    results = ("--model-out", folder / "model.json", "--report", folder / "report.json")
    result = run("demo", "--rounds", "2", "--key-bits", "1024", *results, *arguments, status=status)
    assert list(folder.iterdir()) == []
    assert "starting" not in result.stdout or "--metrics-port" in arguments
    assert "Traceback" not in result.stderr
    assert result.stderr.count("error: ") == 1
    return result.stderr


def table(tmp_path, *lines, name="rows.csv"):
    """A file of rows."""
    path = tmp_path / name
    path.write_text("\n".join([*lines, ""]))
    return path


def assert_says(text, said):
    """The text has these words, whatever is between them."""
    assert re.search(said, text, re.DOTALL), text


def slope(count=40):
    """Rows y = 2x + 1 with x in [0, 1)."""
    return [f"{number / count},{2 * number / count + 1}" for number in range(count)]


# ---- rows ----


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("missing.csv", "there is no file .*missing.csv; check the path"),
        ("rows.txt", r"not a .csv .*convert"),
    ],
)
def test_a_wrong_file(folder, tmp_path, name, said):
    assert_says(demo(folder, "--data", tmp_path / name), said)


def test_a_column_that_is_not_there(folder, tmp_path):
    path = table(tmp_path, "x,y", *slope())
    assert_says(demo(folder, "--data", path, "--target", "z"), "no column 'z' .*have x, y")


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("seven,3", "row 41: column 'x' is not numeric; encode"),
        ("3,nan", "the target 'y' cannot be predicted: it has no value in row 41; fill"),
        ("3,", "the target 'y' cannot be predicted: it has no value in row 41; fill"),
        ("1,2,3", "row 41: 3 values for 2 columns; separate"),
    ],
)
def test_a_row_that_is_not_numeric(folder, tmp_path, row, said):
    assert_says(demo(folder, "--data", table(tmp_path, "x,y", *slope(), row)), said)


def test_a_column_that_never_varies(folder, tmp_path):
    path = table(tmp_path, "flat,y", *(f"5,{number}" for number in range(40)))
    said = "only the column 'y'; a feature and a target are needed; column 'flat' has one value in every row"
    assert_says(demo(folder, "--data", path), said)


def test_fewer_rows_than_owners(folder, tmp_path):
    path = table(tmp_path, "x,y", *slope(4))
    assert_says(demo(folder, "--data", path), "4 rows cannot be dealt to 5 owners; each needs one")


def test_a_target_without_a_feature(folder, tmp_path):
    path = table(tmp_path, "y", *(str(number) for number in range(40)))
    assert_says(demo(folder, "--data", path), "only the column 'y'; a feature and a target are needed")


def test_the_thesis_with_a_feature_that_would_have_to_be_scaled(folder, tmp_path):
    path = table(tmp_path, "x,y", *(f"{number / 2},{number}" for number in range(40)))
    said = "column 'x' goes from 0 to 19.5, and the thesis' run takes features .* from -1 to 1: leave out"
    assert_says(demo(folder, "--data", path, "--thesis"), said)


def test_the_thesis_from_zero_far_from_the_targets_range(folder, tmp_path):
    path = table(tmp_path, "x,y", *(f"{number / 40},{1000 + number}" for number in range(40)))
    text = demo(folder, "--data", path, "--thesis")
    assert_says(text, "start's weights add up to 52.* at most 4 .*from the target's mean; or widen the")


def test_a_key_that_is_too_short_for_the_products(folder):
    text = demo(folder, "--owners", "64", "--rounds", "10000", "--local-steps", "1000000")
    assert_says(text, "cannot be checked: .*a key of 1024; .*take a key of 1152 bits or more")


# ---- options ----


@pytest.mark.parametrize(
    ("step", "said"),
    [
        ("0", "schedule.step_size: must be above 0 .*'0'"),
        ("nan", "step_size: .*finite number between .*NaN"),
        ("big", "--step-size 'big' is not a number; write it like 1.5"),
    ],
)
def test_a_step_size_that_cannot_be_taken(folder, step, said):
    assert_says(demo(folder, "--step-size", step), said)


@pytest.mark.parametrize(
    ("bits", "said"),
    [
        ("512", "key of 512 bits is too small: use --key-bits 2048 or more"),
        ("2100", "multiple of 64.*'2100'"),
    ],
)
def test_a_key_of_the_wrong_size(folder, bits, said):
    assert_says(demo(folder, "--key-bits", bits), said)


@pytest.mark.parametrize("owners", ["3", "65"])
def test_too_few_or_too_many_owners(folder, owners):
    assert_says(demo(folder, "--owners", owners), f"{owners} owners; at least 4 .*at most 64")


@pytest.mark.parametrize(
    ("wei", "said"),
    [
        (
            "99999",
            "99999 wei is too low for 2 rounds of 5 owners: .*100000 wei at least; use --deposit 100000",
        ),
        ("1.5", "--deposit '1.5' is not a whole number of wei"),
        (str(2**128), f"--deposit '{2**128}' is not between 0 and 1000000000 ETH"),
    ],
)
def test_a_deposit_that_the_contract_refuses(folder, wei, said):
    assert_says(demo(folder, "--deposit", wei), said)


@pytest.mark.parametrize("option", ["--model-out", "--report"])
def test_a_result_in_the_place_of_the_rows(folder, option):
    path = folder.parent / "rows.csv"
    path.write_text("a,y\n1,2\n")
    assert_says(demo(folder, "--data", str(path), option, str(path)), "is one of the files that are read")
    assert path.read_text() == "a,y\n1,2\n"


@pytest.mark.parametrize("option", ["--model-out", "--report", "--card"])
def test_a_result_in_the_place_of_another_file(folder, option):
    path = folder.parent / "order.md"
    path.write_text("name: mine")
    said = f"{path} exists already; name another file, or add --force to replace it"
    assert_says(demo(folder, option, path), said)
    assert path.read_text() == "name: mine"


def test_a_start_that_does_not_exist(folder):
    assert_says(
        demo(folder, "--start", "median"),
        "--start 'median' is unknown; did you mean 'mean'. There are zero, mean",
    )


@pytest.mark.parametrize("option", ["--model-out", "--report"])
def test_a_result_that_could_not_be_written(folder, option):
    missing = folder / "nowhere" / "file.json"
    assert_says(demo(folder, option, missing), f"{missing}: there is no folder .*create it first")
    assert_says(demo(folder, option, folder), f"{folder} cannot be written: name a file")


def test_a_store_that_is_a_file(folder, tmp_path):
    path = table(tmp_path, "x,y")
    assert_says(demo(folder, "--store", path), f"--store {path} cannot be used .*name a new folder")


@pytest.mark.parametrize(
    ("option", "value", "bound"),
    [("--rounds", "0", "1"), ("--local-steps", "0", "1"), ("--workers", "-1", "0"), ("--seed", "-1", "0")],
)
def test_a_number_out_of_its_range(folder, option, value, bound):
    arguments = ("--model-out", folder / "model.json", option, value)
    result = run("demo", *arguments, status=2)
    assert_says(result.stderr, f"{option}.*{bound}")
    assert list(folder.iterdir()) == []


def test_one_file_for_two_results(folder):
    assert_says(demo(folder, "--report", folder / "model.json"), "cannot hold both model and report")


# ---- what is outside this process ----


@pytest.mark.parametrize("url", ["foo", "ftp://node", "http://", "http://[x", "http://node:99999"])
def test_a_chain_that_cannot_be_used(folder, url):
    assert_says(demo(folder, "--chain", url), "error: --chain cannot be used: give one like http://")


@pytest.mark.parametrize("url", ["foo", "http://broker", "amqp://", "amqp://user:hunter2@"])
def test_a_broker_that_cannot_be_used(folder, url):
    text = demo(folder, "--broker", url)
    assert_says(text, "error: --broker cannot be used: give one like amqp://")
    assert "hunter2" not in text


def test_a_port_that_is_taken(folder):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        text = demo(folder, "--metrics-port", port, "--workers", "0")
    assert_says(text, f"127.0.0.1:{port} .*: choose another port")


def test_a_node_that_does_not_answer_as_a_process_of_its_own(folder):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
        url = f"http://127.0.0.1:{port}"
        options = ["--chain", url, "--key-bits", "1024", "--model-out", str(folder / "m.json")]
        ended = subprocess.run(
            [sys.executable, "-c", LINE, "demo", *options],
            cwd=ROOT,
            env={**os.environ, "COLUMNS": "200"},
            capture_output=True,
            text=True,
            check=False,
        )
    assert ended.returncode == 3, ended.stderr
    assert_says(ended.stderr, f"error: no answer from the node at {url} .*check that it runs")
    assert "Traceback" not in ended.stderr
    assert list(folder.iterdir()) == []
