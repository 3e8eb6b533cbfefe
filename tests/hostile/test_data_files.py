"""Files of rows as people and programs write them: every command reads them rightly or says what to do."""

import re
import unicodedata

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest

from protocol.bought_model import BoughtModel
from services.data.model_file import write_model
from tests.support.daemons.command_line import run, run_json

SECRET = "8675309"
ROWS = 60


@pytest.fixture
def model(tmp_path):
    path = tmp_path / "model.json"
    write_model(
        path, BoughtModel(name="m", features=("a", "b"), target="y", weights=(2.0, -1.0), intercept=0)
    )
    return path


def lines(*wrong, header="a,b,y", separator=","):
    """A good file of three columns, some of its rows replaced from row 2 on."""
    rows = [separator.join((str(n % 7), str(n % 5), str(n * 0.5))) for n in range(ROWS)]
    return "\n".join([header, rows[0], *wrong, *rows[len(wrong) + 1 :], ""])


def commands(model, file, folder):
    """Every command that reads rows, before it does anything else."""
    node = ("--chain", "http://127.0.0.1:1", "--broker", "amqp://127.0.0.1:1")
    password = ("--broker-management", "http://127.0.0.1:1", "--administrator-password-file", folder / "none")
    return (
        ("predict", model, file, "--out", folder / "out.csv"),
        ("datasets", "add", file, "--catalogue", folder / "catalogue"),
        ("demo", "--data", file, "--model-out", folder / "bought.json"),
        ("request", "suggest", file, "--target", "y", "--out", folder / "request.yaml"),
        ("admin", "market", "init", folder / "market", *node, *password, "--data", file),
    )


REFUSED = {
    "utf-16": (lines().encode("utf-16"), r"is UTF-16 or no text .*save it as CSV in UTF-8"),
    "tabs": (lines(header="a\tb\ty", separator="\t"), "separates values by tabs; save it with commas"),
    "semicolons": (lines(header="a;b;y", separator=";"), "separates values by semicolons; save it with"),
    "zero-byte": (lines("1,\0,3"), "is UTF-16 or no text"),
    "latin-1-header": (lines(header="a,b,y\xe9").encode("latin-1"), "header .* is not UTF-8; save"),
    "no-header": (lines(header="1,2,3"), "first row .* holds numbers; put the columns' names there"),
    "only-a-header": ("a,b,y\n", "has a header but no rows"),
    "empty": ("", "is empty; it needs a header and rows"),
    "long-row": (lines(f"1,{SECRET},3,4"), "row 2: 4 values for 3 columns; separate values by commas"),
    "short-row": (lines("1,2"), "row 2: 2 values for 3 columns"),
    "open-quote": (lines('1,"2,3'), "row 2: 2 values for 3 columns; .* close every quote"),
    "text": (lines(f"1,x{SECRET},3"), "row 2: column 'b' is not numeric"),
    "latin-1-value": (
        lines(f"1,\xe9{SECRET},3").encode("latin-1"),
        "row 2: column 'b' is not (numeric|UTF-8)",
    ),
    "thousands": (lines(f'1,"{SECRET},5",3'), r"row 2: column 'b' .*number with commas or spaces"),
    "unit": (lines(f"1,{SECRET} kg,3"), r"row 2: column 'b' .*number with a unit"),
    "date": (lines("1,2026-01-02,3"), r"row 2: column 'b' .*a date; write it as a number"),
    "truth": (lines("1,True,3"), r"row 2: column 'b' .*yes or no; write 1 and 0"),
    "infinite": (lines("1,inf,3"), "row 2: column 'b' has an infinite value"),
    "whole": (lines(f"1,90{SECRET}{SECRET}1,3"), r"row 2: column 'b' has a whole number beyond 2\^53"),
    "not-parquet": (b"PAR1" + SECRET.encode() * 9, "is not a Parquet file, or it is damaged; write it again"),
}
"""Of what `predict` takes: a file without rows, for which there is nothing to predict."""


def told(capfd, arguments, status):
    """All that a command wrote, by its library as well."""
    result = run(*arguments, status=status)
    captured = capfd.readouterr()
    return result.stdout + result.stderr + captured.out + captured.err


@pytest.mark.parametrize(("content", "says"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_read_is_refused_by_every_command_and_leaves_nothing(
    model, tmp_path, capfd, content, says
):
    name = "rows.parquet" if content[:4] == b"PAR1" else "rows.csv"
    file = tmp_path / name
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    folder = tmp_path / "results"
    folder.mkdir()
    for arguments in commands(model, file, folder):
        if arguments[0] == "predict" and content == "a,b,y\n":
            assert "0 rows" in told(capfd, arguments, 0)
            (folder / "out.csv").unlink()
            continue
        if arguments[0] == "request" and "column 'b'" in says:  # which a request need not have
            text = told(capfd, arguments, 0)
            (folder / "request.yaml").unlink()
        else:
            text = told(capfd, arguments, 2)
            assert text.count("error: ") == 1
        assert re.search(says, text, re.DOTALL), text
        assert SECRET not in text
        assert [path for path in folder.rglob("*") if path.is_file()] == []


def test_a_gap_is_refused_by_a_model_that_does_not_know_gaps(model, tmp_path, capfd):
    file = tmp_path / "rows.csv"
    file.write_text(lines("1,,3"))
    text = told(capfd, ("predict", model, file, "--out", tmp_path / "out.csv"), 2)
    assert "row 2: column 'b' has no value; fill such values" in text
    assert not (tmp_path / "out.csv").exists()
    for arguments in commands(model, file, tmp_path)[1:2]:
        assert "column 'b': 1 rows have no value" in told(capfd, arguments, 0)


PEOPLE = [[n % 7, n % 5, n * 0.5] for n in range(ROWS)]
FIRST = ["2026-01-01", *map(str, range(1, ROWS))]
NOTES = {
    "line-ends-in-quotes": ("a,b,y,note", '"' + "x\n" * 40_000 + '"'),
    "latin-1": ("a,b,y,note", "\xe9t\xe9"),
    "identifier": ("a,b,y,id", str(10**15)),
    "rounded-identifier": ("a,b,y,id", str(2**53 + 1)),
    "nameless": ("a,b,y,", "7"),
    "doubled": ("a,b,y,note,note", "7,8"),
    "spaces": (" a, b ,y ,note", "x"),
    "mark": ("\ufeffa,b,y,note", "x"),
    "carriage-returns": ("a,b,y,note\r", "x\r"),
}


@pytest.mark.parametrize(("header", "note"), NOTES.values(), ids=NOTES)
def test_what_can_be_read_is_read_rightly_whatever_stands_beside_it(model, tmp_path, header, note):
    encoding = "latin-1" if note == "\xe9t\xe9" else "utf-8"
    file, out = tmp_path / "rows.csv", tmp_path / "out.csv"
    rows = (",".join(map(str, [*row, note])) for row in PEOPLE)
    file.write_bytes("\n".join([header, *rows, ""]).encode(encoding))
    told = run_json("predict", model, file, "--out", out)
    assert (told["rows"], told["features"], told["target"]) == (ROWS, ["a", "b"], "y")
    assert [float(line) for line in out.read_text().split()[1:]] == [2 * a - b for a, b, _ in PEOPLE]
    catalogue = ("--catalogue", tmp_path / "catalogue")
    added = run_json("datasets", "add", file, "--columns", "y,a,b", *catalogue)
    assert [(column["name"], column["maximum"]) for column in added["columns"]] == [
        ("y", (ROWS - 1) / 2),
        ("a", 6),
        ("b", 4),
    ]


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_accents_are_one_letter_in_every_form(tmp_path, form):
    model = tmp_path / "model.json"
    bought = BoughtModel(name="m", features=("a\xf1o",), target="t\xe9", weights=(2.0,), intercept=0)
    write_model(model, bought)
    file = tmp_path / "rows.csv"
    file.write_text(unicodedata.normalize(form, "a\xf1o,t\xe9\n1,2\n2,4\n"))
    assert run_json("predict", model, file)["mse"] == 0


def test_the_index_of_pandas_is_left_out_and_named_by_every_command(model, tmp_path):
    file = tmp_path / "rows.parquet"
    columns = {
        "__index_level_0__": np.arange(1.0, ROWS + 1),
        **dict(zip("aby", np.transpose(PEOPLE), strict=True)),
    }
    pyarrow.parquet.write_table(pa.table(columns), file)
    left_out = "left out, because pandas stored its index there: __index_level_0__"
    (tmp_path / "market").mkdir(mode=0o755)  # is refused once the columns are told
    nowhere = ("--chain", "http://127.0.0.1:1", "--workers", 0)
    predict, add, demo, suggest, market = commands(model, file, tmp_path)
    assert left_out in run(*suggest).stderr
    for arguments, status in ((predict, 0), (add, 0), ((*demo, *nowhere), 3), (market, 2)):
        result = run(*arguments, status=status)
        text = result.stdout + result.stderr
        assert left_out in text
        assert re.search("features: a, b|3 columns: a, b, y", text), text
        assert re.search("target: y|3 columns: a, b, y", text), text


@pytest.mark.parametrize("target", ["", "unknown", "NaN", str(2**53 + 1), "inf"])
def test_a_target_that_nobody_knows_yet_is_no_obstacle_to_predictions(model, tmp_path, target):
    file = tmp_path / "rows.csv"
    file.write_text(f"a,b,y\n1,1,1\n0,2,{target}\n")
    result = run("predict", model, file)
    assert result.stdout == "predicted_y\n1.0\n-2.0\n"
    assert f"the model's error is not told: {file}, row 2: column 'y' " in result.stderr
    assert "MSE" not in result.stderr
