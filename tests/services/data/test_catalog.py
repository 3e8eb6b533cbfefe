import os
import resource
import stat
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import msgpack
import numpy as np
import pytest

from protocol.data_set import card_of
from protocol.learning.statistic import StatisticBuilder
from services.common.errors import ConfigurationError, DataSetError
from services.common.files import write_private
from services.data.catalog import Catalog

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def statistic(rows=50, seed=1):
    builder = StatisticBuilder(["a", "b"])
    builder.add(np.random.default_rng(seed).normal(size=(rows, 2)))
    return builder.finish()


@pytest.fixture
def catalogue(tmp_path):
    return Catalog(tmp_path / "catalogue")


def test_what_was_added_comes_back_whole(catalogue, tmp_path):
    added = statistic()
    entry = catalogue.add("patients.2026-01", added, tmp_path / "rows.csv", now=NOW)
    assert entry == catalogue.entry("patients.2026-01") == catalogue.list()[0]
    assert (entry.rows, entry.added_at, entry.source) == (50, NOW, str(tmp_path / "rows.csv"))
    assert [column.name for column in entry.columns] == ["a", "b"]
    assert entry.columns == added.kept
    loaded = catalogue.load("patients.2026-01")
    assert loaded.to_bytes() == added.to_bytes()


def test_one_private_file_per_data_set(catalogue, tmp_path):
    catalogue.add("b", statistic(), "b.csv")
    catalogue.add("a", statistic(), "a.csv")
    assert [entry.name for entry in catalogue.list()] == ["a", "b"]
    files = sorted((tmp_path / "catalogue").iterdir())
    assert [path.name for path in files] == ["a.dataset", "b.dataset"]
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}
    catalogue.remove("a")
    assert [entry.name for entry in catalogue.list()] == ["b"]


def test_a_files_entry_has_the_fields_that_earlier_versions_know(catalogue):
    builder = StatisticBuilder(["a"], logs=True)
    builder.add(np.array([[1.0], [2.0]]))
    added = catalogue.add("a", builder.finish(), "a.csv")
    content = msgpack.unpackb((catalogue.folder / "a.dataset").read_bytes())
    fields = {"name", "kind", "minimum", "maximum", "gaps", "clipped", "levels"}
    assert [set(column) for column in content["entry"]["columns"]] == [fields]
    assert added.columns[0].log
    assert catalogue.entry("a") == added, "what else there is stands with the statistic"


def test_a_name_in_use_is_kept_unless_replaced(catalogue):
    catalogue.add("a", statistic(rows=50), "a.csv")
    with pytest.raises(DataSetError, match="a data set 'a' already"):
        catalogue.add("a", statistic(rows=60), "a.csv")
    assert catalogue.load("a").rows == 50
    catalogue.add("a", statistic(rows=60), "a.csv", replace=True)
    assert catalogue.load("a").rows == 60


@pytest.mark.parametrize("name", ["", "../a", "a/b", ".hidden", "a b", "a\n", "x" * 101, "ä"])
def test_names_that_could_leave_the_folder_are_refused(catalogue, name):
    for act in (catalogue.load, catalogue.remove, lambda one: catalogue.add(one, statistic(), "a.csv")):
        with pytest.raises(DataSetError, match="cannot name a data set"):
            act(name)


def test_all_statistics_are_those_of_the_files_as_they_are_now(catalogue, monkeypatch):
    assert catalogue.all() == {}
    catalogue.add("a", statistic(rows=50), "a.csv")
    assert catalogue.all()["a"].statistic.rows == 50
    with monkeypatch.context() as patch:
        patch.setattr("services.data.catalog.read_private", None)
        assert catalogue.all()["a"].statistic.rows == 50, "what has not changed is not read again"
    catalogue.add("a", statistic(rows=60), "a.csv", replace=True)
    assert catalogue.all()["a"].statistic.rows == 60
    catalogue.remove("a")
    assert catalogue.all() == {}


STRAYS = {
    "rows (1).dataset": "cannot name a data set",
    "copy.dataset": "is the data set 'good' under another name",
    "cut.dataset": "is damaged",
    "empty.dataset": "is damaged",
    "folder.dataset": "is not a file",
    "loop.dataset": "is not a file",
    "open.dataset": "run: chmod 0600",
    "pipe.dataset": "is not a file",
    r"\x1b[2J\xff.dataset": "cannot name a data set",
}


@pytest.fixture
def strays(catalogue):
    """Among them a data set that is good."""
    catalogue.add("good", statistic(), "good.csv")
    folder = catalogue.folder
    whole = (folder / "good.dataset").read_bytes()
    held = {"rows (1)": whole, "copy": whole, "cut": whole[:-40], "empty": b"", "open": whole}
    for name, content in held.items():
        write_private(folder / f"{name}.dataset", content)
    (folder / "open.dataset").chmod(0o644)
    (folder / "folder.dataset").mkdir()
    (folder / "loop.dataset").symlink_to(folder / "loop.dataset")
    os.mkfifo(folder / "pipe.dataset")
    write_private(Path(os.fsdecode(bytes(folder) + b"/\x1b[2J\xff.dataset")), whole)
    (folder / "notes.txt").write_text("no data set, and nothing to tell")
    return catalogue


def test_strays_are_left_out_and_told(strays):
    assert [entry.name for entry in strays.list()] == list(strays.all()) == ["good"]
    told = {stray.file: stray.reason for stray in strays.strays()}
    assert told.keys() == STRAYS.keys()
    for name, reason in STRAYS.items():
        assert reason in told[name]
    assert all(line.isprintable() for line in told.values())


def test_strays_can_be_removed(strays):
    for stray in strays.strays():
        strays.remove(stray.file)
    assert strays.strays() == ()
    strays.remove("good")
    assert [path.name for path in strays.folder.iterdir()] == ["notes.txt"]


def test_a_folder_that_holds_something_is_not_removed(catalogue):
    (catalogue.folder / "a.dataset").mkdir()
    (catalogue.folder / "a.dataset" / "kept").touch()
    with pytest.raises(DataSetError, match="remove it by hand"):
        catalogue.remove("a")
    with pytest.raises(DataSetError, match="no data set 'b'; the catalogue has none yet"):
        catalogue.remove("b")


def test_files_that_cannot_be_opened_now_are_not_taken_for_damaged(catalogue):
    catalogue.add("a", statistic(), "a.csv")
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, limits[1]))
    try:
        with pytest.raises(DataSetError, match="Too many open files"):
            catalogue.all()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
    assert list(catalogue.all()) == ["a"]


def test_a_statistic_that_is_not_what_the_entry_says_is_damaged(catalogue):
    entry = catalogue.add("a", statistic(), "a.csv")
    content = {"entry": entry.model_dump(mode="json"), "statistic": statistic(rows=51).to_bytes()}
    write_private(catalogue.folder / "a.dataset", msgpack.packb(content))
    with pytest.raises(DataSetError, match="is damaged"):
        catalogue.load("a")


def test_a_missing_data_set_is_told_with_those_there_are(catalogue):
    with pytest.raises(DataSetError, match="no data set 'b'; the catalogue has none yet"):
        catalogue.load("b")
    catalogue.add("a", statistic(), "a.csv")
    with pytest.raises(DataSetError, match="no data set 'b'; the catalogue has a"):
        catalogue.remove("b")


@pytest.mark.parametrize("content", [b"", b"\xc1", b"\x81\xa5entry\x01"])
def test_a_damaged_file_is_named(catalogue, tmp_path, content):
    catalogue.add("a", statistic(), "a.csv")
    (tmp_path / "catalogue" / "a.dataset").write_bytes(content)
    with pytest.raises(DataSetError, match=r"a\.dataset is damaged; remove it"):
        catalogue.load("a")


def test_a_damaged_factor_is_told_when_it_is_needed(catalogue, tmp_path):
    catalogue.add("a", statistic(), "a.csv")
    path = tmp_path / "catalogue" / "a.dataset"
    content = path.read_bytes()
    path.write_bytes(content[:-30] + bytes(30))
    with pytest.raises(DataSetError, match="is damaged"):
        catalogue.load("a")


def test_a_file_that_others_can_read_is_refused(catalogue, tmp_path):
    catalogue.add("a", statistic(), "a.csv")
    (tmp_path / "catalogue" / "a.dataset").chmod(0o604)
    with pytest.raises(ConfigurationError, match="run: chmod 0600"):
        catalogue.load("a")


def test_a_card_is_kept_with_the_rows_and_changed_alone(catalogue):
    rows = statistic()
    catalogue.add("a", rows, "a.csv")
    card = catalogue.card("a")
    assert card == card_of("a", rows) == catalogue.all()["a"].card
    changed = card.model_copy(update={"purpose": "tests", "listed": False})
    catalogue.set_card(changed)
    assert Catalog(catalogue.folder).card("a") == changed
    assert catalogue.load("a").to_bytes() == rows.to_bytes()


def test_rows_outside_their_card_are_not_taken(catalogue):
    card = card_of("a", statistic())
    with pytest.raises(DataSetError, match=r"column 'b' runs from .* Declare what they hold \(--range"):
        catalogue.add("a", statistic(seed=2), "a.csv", card=card)
    assert catalogue.list() == ()
    catalogue.add("a", statistic(), "a.csv", card=card)
    narrow = (card.columns[0], card.columns[1].model_copy(update={"maximum": Decimal(1)}))
    with pytest.raises(DataSetError, match="its card says"):
        catalogue.set_card(card.model_copy(update={"columns": narrow}))
    assert catalogue.card("a") == card


def test_a_data_set_without_a_card_gets_one_that_is_shown_to_nobody(catalogue):
    catalogue.add("a", statistic(), "a.csv")
    path = catalogue.folder / "a.dataset"
    content = msgpack.unpackb(path.read_bytes())
    del content["card"]
    write_private(path, msgpack.packb(content), replace=True)
    assert catalogue.card("a") == card_of("a", statistic()).model_copy(update={"listed": False})


def test_a_card_that_its_rows_contradict_is_damage(catalogue):
    catalogue.add("a", statistic(), "a.csv")
    path = catalogue.folder / "a.dataset"
    content = msgpack.unpackb(path.read_bytes())
    content["card"]["rows_from"] *= 2
    write_private(path, msgpack.packb(content), replace=True)
    with pytest.raises(DataSetError, match="damaged"):
        catalogue.card("a")
