import pytest

from services.data.dealt_rows import data_sets_of
from services.data.sample_request import DemoOptions, load_data


@pytest.mark.parametrize(("towns", "is_listed"), [(40, False), (4, True)])
def test_cards_with_words_of_single_rows_are_not_listed(tmp_path, towns, is_listed):
    """Of 40 towns in 120 rows each owner of 30 rows has most once."""
    rows = tmp_path / "rows.csv"
    rows.write_text("town,price\n" + "".join(f"town {n % towns},{n % towns + n % 7}\n" for n in range(120)))
    data_sets = data_sets_of(load_data(DemoOptions(data=rows, target="price", owners=4)))
    assert {one.card.columns[0].name for one in data_sets.values()} == {"town"}
    assert [one.card.listed for one in data_sets.values()] == [is_listed] * 4
