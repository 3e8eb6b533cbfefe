import csv
from pathlib import Path
from unicodedata import normalize

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest
import yaml

from services.common.files import write_private
from services.data.catalog import Catalog
from services.data.samples import diabetes
from tests.support.daemons.command_line import refused, run, run_json
from tests.support.roles.pure_party import make_statistic

REQUEST = Path(__file__).parents[3] / "REQUEST.yaml"


@pytest.fixture
def catalogue(tmp_path):
    return ("--catalogue", tmp_path / "catalogue")


@pytest.fixture
def rows_file(tmp_path):
    path = tmp_path / "clinic.csv"
    path.write_text("age,id,target\n50,7,1.5\n60,8,2.5\n")
    return path


@pytest.fixture
def diabetes_file(tmp_path):
    columns, rows = diabetes()
    path = tmp_path / "diabetes.csv"
    with path.open("w") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(rows.tolist())
    return path


def test_a_data_set_is_added_shown_listed_and_removed(catalogue, rows_file):
    added = run("datasets", "add", rows_file, *catalogue).stdout
    assert added == "added 'clinic': 2 rows, 3 columns: age, id, target\n"
    shown = run_json("datasets", "show", "clinic", *catalogue)
    assert shown["columns"][0] == {
        "name": "age",
        "kind": "numeric",
        "minimum": 50,
        "maximum": 60,
        "gaps": 0,
        "clipped": None,
        "log": True,
        "levels": [],
    }
    assert (shown["rows"], shown["source"]) == (2, str(rows_file))
    assert run_json("datasets", "list", *catalogue) == [shown]
    table = run("datasets", "list", *catalogue).stdout
    assert "clinic" in table
    assert str(rows_file) in table
    table = run("datasets", "show", "clinic", *catalogue).stdout
    assert "60" in table
    assert run_json("datasets", "remove", "clinic", *catalogue) == {"removed": "clinic"}
    assert rows_file.exists()
    assert run_json("datasets", "list", *catalogue) == []
    run("datasets", "list", *catalogue)


def test_the_next_step_is_told_with_the_catalogue_that_it_is_for(catalogue, rows_file):
    told, place = run("datasets", "add", rows_file, *catalogue).stderr, f"--catalogue {catalogue[1]}"
    assert f"answers a request: deltaml datasets match REQUEST.yaml {place}\n" in told
    assert f"its card: deltaml datasets card clinic {place}; " in told
    changed = run("datasets", "card", "set", "clinic", *catalogue).stdout
    assert changed.endswith(f"see it with: deltaml datasets card clinic {place}\n")


def test_name_and_columns_are_chosen(catalogue, rows_file):
    added = run_json("datasets", "add", rows_file, "--name", "a", "--columns", "target, age", *catalogue)
    assert added["name"] == "a"
    assert [column["name"] for column in added["columns"]] == ["target", "age"]
    assert run("datasets", "remove", "a", *catalogue).stdout == "removed 'a'\n"


def test_a_name_in_use_needs_a_word(catalogue, rows_file):
    run("datasets", "add", rows_file, *catalogue)
    rows_file.write_text("age\n1\n2\n3\n")
    assert "choose another name, or replace it (--replace)" in refused(
        "datasets", "add", rows_file, *catalogue
    )
    assert run_json("datasets", "show", "clinic", *catalogue)["rows"] == 2
    run("datasets", "add", rows_file, "--replace", *catalogue)
    assert run_json("datasets", "show", "clinic", *catalogue)["rows"] == 3


def test_wrong_files_and_names_are_refused_and_nothing_is_kept(catalogue, rows_file, tmp_path):
    assert "there is no file" in refused("datasets", "add", tmp_path / "missing.csv", *catalogue)
    assert "no column 'x'" in refused("datasets", "add", rows_file, "--columns", "x", *catalogue)
    assert "cannot name a data set" in refused("datasets", "add", rows_file, "--name", "../x", *catalogue)
    rows_file.write_text("age\n1\nold\n")
    text = refused("datasets", "add", rows_file, *catalogue)
    assert "row 2: column 'age' is not numeric" in text
    assert "--columns a,b,c takes the columns that it names" in text
    for command in ("show", "remove"):
        assert "has none yet" in refused("datasets", command, "clinic", *catalogue)
    assert run_json("datasets", "list", *catalogue) == []


def test_names_that_look_like_markup_are_shown_as_they_are(catalogue, tmp_path):
    path = tmp_path / "rows.csv"
    path.write_text("[bold]a,b\n1,2\n")
    run("datasets", "add", path, *catalogue)
    assert "[bold]a" in run("datasets", "show", "rows", *catalogue).stdout


def test_match_tells_which_data_serve_and_why_others_do_not(catalogue, diabetes_file, rows_file):
    run("datasets", "add", rows_file, *catalogue)
    found = run_json("datasets", "match", REQUEST, *catalogue, status=1)
    assert not found[0]["serves"]
    assert "no column 'bmi'" in found[0]["reasons"]
    assert "2 rows or more; at least 60 asked" in found[0]["reasons"]
    assert "column 'age' runs from 50 to 60; -0.2 to 0.2 asked" in found[0]["reasons"]
    run("datasets", "add", diabetes_file, *catalogue)
    found = run_json("datasets", "match", REQUEST, *catalogue)
    assert [(one["name"], one["serves"]) for one in found] == [("clinic", False), ("diabetes", True)]
    table = run("datasets", "match", REQUEST, *catalogue).stdout
    assert "no column 'bmi'" in table
    assert "yes" in table


def test_strays_are_told_and_removed(catalogue, rows_file, tmp_path):
    run("datasets", "add", rows_file, *catalogue)
    folder = tmp_path / "catalogue"
    write_private(folder / "clinic (1).dataset", (folder / "clinic.dataset").read_bytes())
    for command in (("list",), ("match", REQUEST)):
        told = run("datasets", *command, *catalogue, status=int(command[0] == "match"))
        assert "left out: clinic (1).dataset: 'clinic (1)' cannot name a data set" in told.stderr
        assert "clinic" in told.stdout
        assert "(1)" not in told.stdout
    assert run_json("datasets", "remove", "clinic (1)", *catalogue) == {"removed": "clinic (1)"}
    assert [one["name"] for one in run_json("datasets", "list", *catalogue)] == ["clinic"]


def test_the_index_of_pandas_is_told(catalogue, tmp_path):
    table = pa.table({"a": [1.0, 2.0], "__index_level_0__": [7, 9]})
    pyarrow.parquet.write_table(table, tmp_path / "rows.parquet")
    told = run("datasets", "add", tmp_path / "rows.parquet", *catalogue)
    assert "left out, because pandas stored its index there: __index_level_0__" in told.stderr
    assert "2 rows, 1 columns" in told.stdout


def test_an_empty_catalogue_says_so(catalogue):
    for command, status in ((("list",), 0), (("match", REQUEST), 1)):
        told = run("datasets", *command, *catalogue, status=status)
        assert told.stdout == ""
        assert "has no data set; add one with: deltaml datasets add FILE" in told.stderr


def test_match_without_data_sets_serves_nothing(catalogue):
    assert run_json("datasets", "match", REQUEST, *catalogue, status=1) == []


def test_match_refuses_a_request_that_is_none(catalogue, tmp_path):
    path = tmp_path / "request.yaml"
    path.write_text("name: x\n")
    says = refused("datasets", "match", path, *catalogue)
    assert "features: is missing" in says
    assert "there is no file" in refused("datasets", "match", tmp_path / "none.yaml", *catalogue)


def test_the_catalogue_of_a_configuration_is_used(tmp_path, rows_file, catalogue):
    address = "0x" + "ab" * 20
    path = tmp_path / "owner.yaml"
    values = {
        "daemon": "data-owner",
        "broker": {"url": "amqp://owner@localhost/"},
        "chain": {"url": "http://localhost:8545", "chain_id": 1, "contract": address},
        "keystore": "keys",
        "passphrase_file": "passphrase",
        "aggregators": [address],
        "catalogue": "kept",
    }
    path.write_text(yaml.safe_dump(values))
    run("datasets", "add", rows_file, "--config", path)
    assert (tmp_path / "kept" / "clinic.dataset").exists()
    assert "not both" in refused("datasets", "list", "--config", path, *catalogue)


def test_without_a_choice_the_catalogue_is_the_users_own(tmp_path, monkeypatch, rows_file):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    run("datasets", "add", rows_file)
    assert (tmp_path / "deltaml" / "datasets" / "clinic.dataset").exists()


MIXED = """id,area,garden,heating,built,zip,price
a1,50,yes,gas,2000-01-08,8001,100
a2,,no,oil,2010-06-01,8002,200
a3,9000,yes,,1999-12-25,8001,300
"""


def test_columns_of_every_kind_are_added_with_gaps_levels_and_clipping(catalogue, tmp_path):
    rows = tmp_path / "houses.csv"
    rows.write_text(MIXED + "".join(f"b{n},60,no,gas,2001-01-01,8001,150\n" for n in range(300)))
    clip = ("--clip", "area=10:500", "--clip", "built=2000-01-01:2020-01-01", "--categorical", "zip")
    added = run("datasets", "add", rows, *catalogue, *clip)
    for note in (
        "column 'id' holds more than 256 different texts, or one that is no level",
        "write it as fewer levels, as numbers or as dates, and add the rows again",
        "column 'area': 1 values were brought into its range",
        "column 'heating': 1 rows have no value",
        "column 'built': 1 values were brought into its range",
    ):
        assert note in added.stderr
    columns = {one["name"]: one for one in run_json("datasets", "show", "houses", *catalogue)["columns"]}
    kinds = {name: column["kind"] for name, column in columns.items()}
    assert kinds == {
        "id": "text",
        "area": "numeric",
        "garden": "boolean",
        "heating": "categorical",
        "built": "date",
        "zip": "categorical",
        "price": "numeric",
    }
    assert columns["zip"]["levels"] == ["8001", "8002"]
    assert (columns["area"]["gaps"], columns["area"]["clipped"], columns["area"]["maximum"]) == (1, 1, 500)
    shown = run("datasets", "show", "houses", *catalogue).stdout
    for text in ("2000-01-01", "2020-01-01", "gas, oil", "texts that cannot be asked for"):
        assert text in shown


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("--clip", "area"), "--clip area: write COLUMN=FROM:TO"),
        (("--clip", "area=9:1"), "write COLUMN=FROM:TO"),
        (("--clip", "area=0:nan"), "write COLUMN=FROM:TO"),
        (("--clip", "built=2000-02-30:2001-01-01"), "write COLUMN=FROM:TO"),
        (("--clip", "rooms=0:9"), "has no column 'rooms'"),
        (("--clip", "heating=0:9"), "column 'heating' holds no numbers or dates; it cannot be clipped"),
        (("--categorical", "rooms"), "has no column 'rooms'"),
    ],
)
def test_declarations_that_do_not_fit_the_file_are_refused(catalogue, tmp_path, arguments, text):
    rows = tmp_path / "houses.csv"
    rows.write_text(MIXED)
    assert text in refused("datasets", "add", rows, *catalogue, *arguments)


def test_a_card_is_shown_and_changed(catalogue, rows_file):
    told = run("datasets", "add", rows_file, "--unit", "age=years", "--unlisted", *catalogue)
    place = f"--catalogue {catalogue[1]}"
    assert f"its card: deltaml datasets card clinic {place}; it is shown to nobody" in told.stderr
    assert f"to have it shown: deltaml datasets card set clinic --listed {place}" in told.stderr
    card = run_json("datasets", "card", "clinic", *catalogue)
    assert card["columns"][0] == {
        "name": "age",
        "kind": "numeric",
        "unit": "years",
        "minimum": "50",
        "maximum": "60",
        "vocabulary": [],
        "gaps": False,
        "clipped": False,
        "log": True,
    }
    assert (card["rows_from"], card["listed"]) == (2, False)
    options = ("--range", "age=0:120", "--purpose", "one\nline", "--least-pay", "7", "--listed")
    changed = run_json("datasets", "card", "set", "clinic", *options, *catalogue)
    assert changed == run_json("datasets", "card", "clinic", *catalogue)
    assert (changed["columns"][0]["maximum"], changed["least_pay_wei"]) == ("120", "7")
    assert (changed["purpose"], changed["listed"]) == ("one line", True)
    assert changed["hash"] != card["hash"]
    said = run("datasets", "card", "set", "clinic", "--listed", *catalogue).stdout
    assert "changed the card of 'clinic': it is shown to buyers; see it with: deltaml datasets card" in said
    table = run("datasets", "card", "clinic", *catalogue).stdout
    assert "clinic: 2 to 3 rows, listed" in table
    assert "least pay  0.000000000000000007 ETH" in table
    assert "purpose    one line" in table


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (("--range", "age=0"), "--range age=0: write COLUMN=MINIMUM:MAXIMUM, like age=0:120"),
        (("--range", "age"), "--range age: write COLUMN=VALUE"),
        (("--range", "age=51:60"), "column 'age' runs from 50 to 60; its card says 51 to 60"),
        (("--unit", "years=1"), "has no column 'years'; it has age, id, target"),
        (("--kind", "age=text"), "columns.0.kind"),
        (("--kind", "age=boolean"), "column 'age' is numeric; its card says boolean"),
        (("--least-pay", "1.5"), "--least-pay '1.5' is not a whole number of wei"),
    ],
)
def test_a_declaration_that_cannot_be_changes_nothing(catalogue, rows_file, options, text):
    run("datasets", "add", rows_file, *catalogue)
    before = run_json("datasets", "card", "clinic", *catalogue)
    assert text in refused("datasets", "card", "set", "clinic", *options, *catalogue)
    assert run_json("datasets", "card", "clinic", *catalogue) == before


def test_rows_outside_a_declared_range_are_refused_or_clipped(catalogue, rows_file):
    narrow = ("--range", "age=52:58")
    assert "column 'age' runs from 50 to 60" in refused("datasets", "add", rows_file, *narrow, *catalogue)
    clip = ("--clip", "age=52:58")
    run("datasets", "add", rows_file, *clip, *catalogue)
    column = run_json("datasets", "card", "clinic", *catalogue)["columns"][0]
    assert (column["minimum"], column["maximum"], column["clipped"]) == ("52", "58", True)
    again = ("datasets", "add", rows_file, "--replace", *catalogue)
    assert "its card says 52 to 58" in refused(*again)
    run(*again, *clip)


def test_texts_of_single_rows_are_told_and_do_not_fill_the_screen(catalogue, tmp_path):
    rows = tmp_path / "notes.csv"
    rows.write_text("note,town\n" + "".join(f"seen {row},{'ab'[row % 2]}\n" for row in range(40)))
    told = run("datasets", "add", rows, *catalogue).stderr
    assert "column 'note' has 40 different texts in 40 rows, most of which describe single rows" in told
    assert "'town'" not in told
    for command in (("card", "notes"), ("show", "notes")):
        table = " ".join(run("datasets", *command, *catalogue).stdout.replace("│", " ").split())
        assert "seen 0" in table
        assert "28 more" in table
        assert "seen 39" not in table
    card = run_json("datasets", "card", "notes", *catalogue)
    assert len(card["columns"][0]["vocabulary"]) == 40


def test_a_cards_words_have_their_accents_in_the_form_that_rows_have(catalogue, tmp_path):
    rows = tmp_path / "drinks.csv"
    rows.write_text("drink,cost\ncafé,1\ncrème,2\n", encoding="utf-8")
    words = normalize("NFD", "café,crème,thé")
    run("datasets", "add", rows, "--vocabulary", f"drink={words}", *catalogue)
    assert run_json("datasets", "card", "drinks", *catalogue)["columns"][0]["vocabulary"] == [
        "café",
        "crème",
        "thé",
    ]
    twice = ("datasets", "card", "set", "drinks", "--vocabulary", f"drink={words},thé", *catalogue)
    assert "column 'drink': the vocabulary has 'thé' twice" in refused(*twice)


def test_a_card_as_croissant(catalogue, rows_file):
    run("datasets", "add", rows_file, "--licence", "CC-BY-4.0", *catalogue)
    document = run_json("datasets", "card", "clinic", "--croissant", *catalogue)
    assert (document["@type"], document["conformsTo"]) == ("sc:Dataset", "http://mlcommons.org/croissant/1.0")
    assert (document["name"], document["license"], document["size"]) == ("clinic", "CC-BY-4.0", "2 to 3 rows")
    assert [field["name"] for field in document["recordSet"][0]["field"]] == ["age", "id", "target"]
    assert document["variableMeasured"][0] == {
        "@type": "sc:PropertyValue",
        "name": "age",
        "minValue": 50,
        "maxValue": 60,
    }


def test_words_of_single_rows_are_published_by_name_alone(catalogue, tmp_path):
    rows = tmp_path / "notes.csv"
    rows.write_text("note,town\n" + "".join(f"seen {row},{'ab'[row % 2]}\n" for row in range(40)))
    assert "where everybody may read the words: --publish note" in refused(
        "datasets", "add", rows, "--listed", *catalogue
    )
    run("datasets", "add", rows, *catalogue)
    listed = ("datasets", "card", "set", "notes", "--listed", *catalogue)
    assert "most words of 'note' describe single rows of 'notes'" in refused(*listed)
    assert "--publish note" in refused(*listed, "--publish", "town")
    assert "has no column 'notes'; it has note, town" in refused(*listed, "--publish", "notes")
    assert not run_json("datasets", "card", "notes", *catalogue)["listed"]
    assert run_json(*listed, "--publish", "note")["shown_to_buyers"]
    assert run_json("datasets", "card", "set", "notes", "--purpose", "x", *catalogue)["listed"], "said before"


def test_a_card_without_room_is_told_with_the_remedy(catalogue, rows_file):
    folder, statistic = Catalog(catalogue[1]), make_statistic(("x", "y"), np.eye(2))
    for number in range(64):
        folder.add(f"b{number:02}", statistic, "rows.csv")
    run("datasets", "add", rows_file, "--name", "c", "--unlisted", *catalogue)
    said = run("datasets", "card", "set", "c", "--listed", *catalogue).stdout
    assert "it is listed, but shown to nobody: of the 64 cards of an announcement 0 are left" in said
    assert "take others off the list (deltaml datasets card set NAME --unlisted)" in said
    assert not run_json("datasets", "card", "c", *catalogue)["shown_to_buyers"]
    assert "no room" in run("datasets", "list", *catalogue).stdout
    told = run("datasets", "card", "set", "b00", "--purpose", "x", *catalogue)
    assert "it is shown to buyers" in told.stdout
    assert "listed, but shown to nobody for want of room in announcements: c" in told.stderr


def test_a_text_column_that_no_card_can_have_is_told_with_the_remedy(catalogue, tmp_path):
    rows = tmp_path / "notes.csv"
    rows.write_text("note,age\n" + "".join(f"seen {row},{row}\n" for row in range(300)))
    run("datasets", "add", rows, *catalogue)
    unit = ("datasets", "card", "set", "notes", "--unit", "note=words", *catalogue)
    assert "column 'note' holds more than 256 different texts" in refused(*unit)
    asked = yaml.safe_load(REQUEST.read_text())
    asked["target"] = {"name": "note", "minimum": 0, "maximum": 999}
    request = tmp_path / "request.yaml"
    request.write_text(yaml.safe_dump(asked))
    [found] = run_json("datasets", "match", request, *catalogue, status=1)
    assert any("write it as fewer levels" in reason for reason in found["reasons"])
    assert "no column 'note'" not in found["reasons"]
    assert "no column 'bmi'" in found["reasons"]
    rows.write_text("note\n" + "".join(f"seen {row}\n" for row in range(300)))
    alone = refused("datasets", "add", rows, "--name", "alone", *catalogue)
    assert "no column can be asked for: column 'note' holds more than 256 different texts" in alone
