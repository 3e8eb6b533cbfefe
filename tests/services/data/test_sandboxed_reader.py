"""What a process that reads a file may write: an answer, or something else, of any length."""

from pathlib import Path

import pytest

from services.common.errors import DataSetError
from services.data import sandboxed_reader
from services.data.row_reader import Import
from services.data.sandboxed_reader import read_apart, refusal, run_apart


async def test_what_is_written_beside_an_answer_is_none(tmp_path: Path) -> None:
    assert await run_apart("platform", tmp_path, 1 << 30, b"") == {}


@pytest.mark.parametrize("answer", [{}, {"preview": []}])
async def test_a_file_of_which_nothing_is_found_is_said_to_be_damaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: dict[str, object]
) -> None:
    async def nothing(*_asked: object) -> dict[str, object]:
        return answer

    monkeypatch.setattr(sandboxed_reader, "run_apart", nothing)
    with pytest.raises(DataSetError, match=r"^mine\.csv .* or is damaged"):
        await read_apart(tmp_path, Import(), "mine.csv")


def test_an_error_names_the_file_as_its_owner_does_and_is_told_in_part_where_it_is_long() -> None:
    place = Path("/private/rows.csv")
    assert refusal({"error": f"{place} has no column 'y'"}, place, "mine.csv") == "mine.csv has no column 'y'"
    told = refusal({"error": "x" * 1_000_000}, place, "mine.csv")
    assert told is not None
    assert len(told) == 4096
    assert refusal({}, place, "mine.csv") is None
