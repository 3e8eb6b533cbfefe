"""Harrell's concordance index, by all pairs one by one."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.errors import MisuseError
from protocol.learning.scores import concordance
from protocol.learning.scores.concordance import ConcordanceScores

ROWS = st.lists(st.tuples(st.integers(0, 6), st.booleans(), st.integers(-3, 3)), min_size=1, max_size=40)


def by_pairs(rows: list[tuple[int, bool, int]]) -> float | None:
    pairs = order = 0.0
    for time, event, hazard in rows:
        for other, its_event, its_hazard in rows:
            if event and (time < other or (time == other and not its_event)):
                pairs += 1
                order += 1.0 if hazard > its_hazard else 0.5 * (hazard == its_hazard)
    return order / pairs if pairs else None


@given(rows=ROWS, parts=st.integers(1, 5))
def test_ties_and_censored_rows_are_counted_as_defined(rows: list[tuple[int, bool, int]], parts: int) -> None:
    scores, matrix = ConcordanceScores(), np.array(rows, dtype=float)
    for part in np.array_split(matrix, parts):
        scores.add(part[:, :2], part[:, 2])
    assert scores.concordance == pytest.approx(by_pairs(rows))
    assert scores.figures()["events"] == sum(event for _time, event, _hazard in rows)


@pytest.mark.parametrize("row", [(-1.0, 1.0), (1.0, 0.5)])
def test_what_is_no_time_or_no_event_is_named_with_its_row(row: tuple[float, float]) -> None:
    scores = ConcordanceScores()
    scores.add(np.ones((2, 2)), np.ones(2))
    with pytest.raises(MisuseError, match=f"row 3: the time is {row[0]:.6g}, the event {row[1]:.6g}"):
        scores.add(np.array([row]), np.ones(1))


def test_more_rows_than_are_kept_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(concordance, "MOST_ROWS", 3)
    scores = ConcordanceScores()
    scores.add(np.ones((3, 2)), np.ones(3))
    with pytest.raises(MisuseError, match="of 3 rows at most"):
        scores.add(np.ones((1, 2)), np.ones(1))


def test_before_the_first_row_nothing_is_known_and_no_row_is_shown() -> None:
    scores = ConcordanceScores()
    assert set(scores.figures().values()) == {None}
    scores.add(np.array([[7.125, 1.0]]), np.array([3.375]))
    assert scores.concordance is None
    assert "7.125" not in repr(scores)
