"""A suggested request is valid as it stands, reads back as itself, and serves data like the sample."""

from decimal import Decimal

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from protocol.data_set import card_of
from protocol.errors import MisuseError
from protocol.preparation.columns import NumericColumn
from protocol.requirements import mismatches
from services.common.documents import load_request
from services.common.errors import DataSetError
from services.data.column_suggestion import outward_logs
from services.data.request_suggestion import Choices, round_range, suggest
from services.data.request_text import as_text
from services.data.row_reader import read_statistic
from tests.support.tables import HOUSES, houses, mixed_houses, write_columns, write_csv

NUMBERS = st.floats(-1e12, 1e12).filter(lambda value: value == 0 or abs(value) > 1e-12)


@pytest.fixture
def sample(tmp_path):
    return write_csv(tmp_path / "it's a sample.csv", HOUSES, houses(200))


def test_the_text_reads_back_as_the_request(sample, tmp_path):
    found = suggest(sample, Choices("price", "houses: 'old' and \"new\" # 1"))
    written = tmp_path / "request.yaml"
    written.write_text(as_text(found, sample.name))
    assert load_request(written) == found.request
    assert (found.rows, found.left_out) == (200, {})
    assert [column.name for column in found.request.features] == list(HOUSES[:-1])


def test_other_rows_of_the_same_kind_serve_it(sample, tmp_path):
    found = suggest(sample, Choices("price", "houses"))
    for seed in range(3):
        other = write_csv(tmp_path / "other.csv", HOUSES, houses(150, seed=100 + seed))
        assert mismatches(found.request, card_of("other", read_statistic(other))) == ()


def test_the_mean_is_told_to_three_digits_alone(sample):
    rows = houses(200)
    start = suggest(sample, Choices("price", "houses")).request.start
    assert float(start.value) == pytest.approx(rows[:, -1].mean(), rel=5e-3)
    assert len(start.value.normalize().as_tuple().digits) <= 3


def test_what_is_no_number_or_does_not_vary_is_left_out_by_name(tmp_path):
    sample = tmp_path / "rows.csv"
    sample.write_text("city,flat,size,price\n" + "".join(f"x{n},7,{n % 9},{2 * n}\n" for n in range(30)))
    found = suggest(sample, Choices("price", "rows"))
    assert list(found.left_out) == ["city", "flat"]
    assert "holds texts, fewer than two of which stand in several rows" in found.left_out["city"]
    assert [column.name for column in found.request.features] == ["size"]
    assert "# Left out: column 'flat' has one value in every row." in as_text(found, "rows.csv")


def test_columns_of_any_size_read_back_and_those_that_hardly_vary_are_left_out(tmp_path):
    sample, written = tmp_path / "rows.csv", tmp_path / "request.yaml"
    rows = [f"{n - 15}e28,{n}e-29,{1e15 + n!r},{2.0**30 + n * 2.0**-22!r},{n}" for n in range(1, 30)]
    sample.write_text("\n".join(["vast,tiny,number,still,price", *rows]) + "\n")
    found = suggest(sample, Choices("price", "rows"))
    assert list(found.left_out) == ["number", "still"]
    assert "varies too little around" in found.left_out["still"]
    written.write_text(as_text(found, sample.name))
    assert load_request(written) == found.request
    with pytest.raises(MisuseError, match=r"'still' cannot be predicted: .*varies too little"):
        suggest(sample, Choices("still", "rows"))


@pytest.mark.parametrize(
    ("target", "said"),
    [("cost", "no column 'cost' to predict; .* has city"), ("city", "'city' cannot be predicted: .*numeric")],
)
def test_a_target_that_cannot_be_predicted(tmp_path, target, said):
    sample = tmp_path / "rows.csv"
    sample.write_text("city,size\n" + "".join(f"x{n},{n}\n" for n in range(30)))
    with pytest.raises(MisuseError, match=said):
        suggest(sample, Choices(target, "rows"))
    with pytest.raises(MisuseError, match=r"has no feature for 'size': .*'city' holds texts"):
        suggest(sample, Choices("size", "rows"))
    with pytest.raises(DataSetError, match="no file"):
        suggest(tmp_path / "none.csv", Choices(target, "rows"))


def test_choices_that_no_request_can_have(sample):
    with pytest.raises(MisuseError, match=r"owners\.minimum must not exceed owners.maximum"):
        suggest(sample, Choices("price", "houses", least_owners=20))
    with pytest.raises(MisuseError, match="deposit of 1 wei is too low"):
        suggest(sample, Choices("price", "houses", deposit=1))


NUMBERINGS = {
    "id": [3, 1, 2] * 10,
    "Order-ID": list(range(30, 0, -1)),
    "customerId": [7, 8, 7] * 10,
    "row": list(range(30)),
    "number": [(7 * n) % 30 + 1001 for n in range(30)],
    "falling": [-(n**2) for n in range(30)],
}
MEASUREMENTS = {
    "grid": [3, 1, 2] * 10,
    "rooms": [n % 9 for n in range(30)],
    "metres": [n + 0.5 for n in range(30)],
    "seats": [(7 * n) % 30 * 2 for n in range(30)],
    "floor": [*range(29), 28],
    "gaps": [None, *range(29)],
    "height": [float(n) * 1e28 for n in range(30)],
}


def test_columns_that_name_or_count_rows_are_left_out_with_the_reason_and_taken_on_demand(tmp_path):
    price = [n % 11 for n in range(30)]
    sample = write_columns(tmp_path / "rows.csv", {**NUMBERINGS, **MEASUREMENTS, "price": price})
    found = suggest(sample, Choices("price", "rows"))
    assert [column.name for column in found.request.features] == list(MEASUREMENTS)
    assert list(found.left_out) == list(NUMBERINGS)
    text = as_text(found, "rows.csv")
    assert (
        "# Left out: column 'id' is named as an identifier, which tells nothing; --columns takes it" in text
    )
    assert (
        "# Left out: column 'row' counts the rows in whole numbers; --columns takes it all the same." in text
    )
    for name in NUMBERINGS:
        found = suggest(sample, Choices("price", "rows", columns=[name, "rooms", "price"], without=["rooms"]))
        assert ([column.name for column in found.request.features], found.left_out) == ([name], {})


def test_few_rows_may_happen_to_be_in_order(tmp_path):
    sample = write_columns(tmp_path / "rows.csv", {"rooms": list(range(9)), "price": [1, 2, 3] * 3})
    assert suggest(sample, Choices("price", "rows")).left_out == {}


@pytest.mark.parametrize(
    ("choices", "said"),
    [
        ({"columns": ["size"]}, "--columns: .* has no column 'size'; it has area"),
        ({"without": ["size"]}, "--without: .* has no column 'size'; it has area"),
        ({"columns": ["area"], "without": ["area"]}, "no column is left to predict 'price' from"),
        ({"columns": ["price"]}, "no column is left to predict 'price' from"),
    ],
)
def test_columns_that_are_not_there_cannot_be_chosen(sample, choices, said):
    with pytest.raises(MisuseError, match=said):
        suggest(sample, Choices("price", "houses", **choices))


@given(low=NUMBERS, width=st.floats(1e-6, 1e12), part=st.floats(0, 1))
def test_a_round_range_holds_the_sample_with_a_margin_and_keeps_its_sign(low, width, part):
    high = low + width
    assume(low < high)
    least, most = round_range(low, min(low + part * width, high), high)
    margin = (Decimal(repr(high)) - Decimal(repr(low))) / 4
    assert least <= (Decimal(repr(low)) - margin if low < 0 or low >= margin else 0)
    assert most >= (0 if high <= 0 and -Decimal(repr(high)) < margin else Decimal(repr(high)))
    assert (least >= 0) == (low >= 0)
    assert (most <= 0) == (high <= 0)
    assert most - least <= 4 * (Decimal(repr(high)) - Decimal(repr(low))) + abs(least) * Decimal("1e-9")


def test_a_column_of_zeros_and_ones_keeps_its_ends():
    assert round_range(0.0, 1.0, 1.0) == (0, 1)
    assert round_range(0.03, 0.06, 0.09) == (Decimal("0.015"), Decimal("0.105"))
    assert round_range(18, 45, 79) == (0, 95)
    assert round_range(1, 2, 79) == (0, 160)
    assert round_range(-79, -2, -1) == (-160, 0)


@pytest.mark.parametrize("name", ["x\nowners: {minimum: 9, maximum: 9}\n#.csv", "x\x1b[31m\u2028y: 1.csv"])
def test_the_name_of_a_file_adds_nothing_to_the_request(tmp_path, name):
    sample = tmp_path / name
    sample.write_text("city,size,cost\n" + "".join(f"x{n},{n % 9},{n % 7}\n" for n in range(30)))
    found = suggest(sample, Choices("cost", "rows"))
    text = as_text(found, sample.name)
    written = tmp_path / "request.yaml"
    written.write_text(text)
    assert load_request(written) == found.request
    assert all(line.isprintable() for line in text.splitlines())
    assert len([line for line in text.splitlines() if line.startswith("# Left out: ")]) == 1


def test_columns_of_every_kind_are_asked_for_with_a_reason(tmp_path):
    sample = write_columns(tmp_path / "houses.csv", mixed_houses(400))
    found = suggest(sample, Choices("price", "houses"))
    columns = {column.name: column for column in found.request.features}
    kinds = {name: column.kind for name, column in columns.items()}
    assert kinds == {
        "area": "numeric",
        "heating": "categorical",
        "garden": "boolean",
        "built": "date",
        "distance": "numeric",
        "rooms": "numeric",
    }
    assert columns["heating"].levels == ("electric", "gas", "heat pump", "oil")
    assert (columns["heating"].reference, columns["heating"].other) == ("gas", "level")
    assert {name for name, column in columns.items() if column.missing == "indicator"} == {
        *("area", "heating", "rooms")
    }
    assert [name for name in ("area", "distance", "rooms") if columns[name].log] == ["distance"]
    assert (columns["distance"].minimum, columns["distance"].maximum) == (Decimal("0.01"), 500)
    assert (columns["built"].minimum[4:], columns["built"].unit) == ("-01-01", "years")
    text = as_text(found, "houses.csv")
    for reason in (
        "# texts: a weight for each level but gas, the most frequent, one for all others, one for gaps",
        "# numbers with a long tail, whose logarithms are closer to the target",
        "# numbers, gaps with a weight of their own",
        "# yes and no",
        "# dates",
    ):
        assert reason in text
    written = tmp_path / "request.yaml"
    written.write_text(text)
    assert load_request(written) == found.request
    for seed in range(3):
        other = write_columns(tmp_path / "other.csv", mixed_houses(200, seed=50 + seed))
        assert mismatches(found.request, card_of("other", read_statistic(other))) == ()


def test_a_small_sample_of_a_long_tail_asks_for_what_a_large_table_holds(tmp_path):
    sample = write_columns(tmp_path / "sample.csv", mixed_houses(200, seed=11))
    found = suggest(sample, Choices("price", "houses"))
    rows = write_columns(tmp_path / "rows.csv", mixed_houses(3000))
    assert mismatches(found.request, card_of("rows", read_statistic(rows))) == ()


@pytest.mark.parametrize(
    ("low", "high", "ends"),
    [(1, 3, ("0.1", "6")), (0.16, 90, ("0.01", "500")), (1e-28, 9e29, ("1e-30", "9e30"))],
)
def test_a_range_of_logarithms_grows_by_a_quarter_on_both_sides_and_is_nameable(low, high, ends):
    least, most = map(Decimal, ends)
    assert outward_logs(low, high) == (least, most)
    NumericColumn(name="x", minimum=least, maximum=most, log=True)


def test_rare_levels_are_one_and_names_are_left_out(tmp_path):
    rows = {
        "name": [f"person {number}" for number in range(400)],
        "town": ["Bern", "Basel"] * 190 + [f"village {number}" for number in range(20)],
        "note": ["x" * 101, "y"] * 200,
        "size": list(range(400)),
    }
    found = suggest(write_columns(tmp_path / "rows.csv", rows), Choices("size", "rows"))
    [town] = found.request.features
    assert (town.levels, town.other) == (("Basel", "Bern"), "level")
    assert "column 'name' has 400 different texts, of 256 at most" in found.left_out["name"]
    assert "column 'note' holds texts that are no levels" in found.left_out["note"]


def test_quotes_in_names_and_levels_read_back(tmp_path):
    rows = {"it's # 1": ["a: 'b'", "c, d]", "true"] * 10, "when": ["2024-01-01", "2024-02-29"] * 15}
    sample = write_columns(tmp_path / "rows.csv", {**rows, "y": [0, 1, 1] * 10})
    found = suggest(sample, Choices("y", "rows"))
    written = tmp_path / "request.yaml"
    written.write_text(as_text(found, "rows.csv"))
    assert load_request(written) == found.request
    assert found.request.target.kind == "boolean"
    assert (found.request.features[1].unit, found.request.features[1].minimum) == ("days", "2023-12-01")


@pytest.mark.parametrize("end", ["9999-12-31", "0001-01-01"])
def test_a_day_that_stands_for_no_end_is_asked_for_as_it_is(tmp_path, end):
    rows = {"until": ["2020-01-01", end] * 20, "cost": list(range(40))}
    sample = write_columns(tmp_path / "contracts.csv", rows)
    found = suggest(sample, Choices(target="cost", name="contracts"))
    assert end in (found.request.features[0].minimum, found.request.features[0].maximum)
    assert not mismatches(found.request, card_of("rows", read_statistic(sample)))


def test_counts_that_vary_more_than_poisson_s_are_asked_for_with_their_dispersion(tmp_path):
    counts = [0, 0, 1, 1, 2, 2, 3, 4, 8, 9] * 5
    sample = write_columns(tmp_path / "rows.csv", {"age": [20, 31, 45, 58, 60] * 10, "visits": counts})
    found = suggest(sample, Choices("visits", "visits", kind="negative_binomial_regression"))
    mean, variance = np.mean(counts), np.var(counts)
    assert float(found.request.model.dispersion) == pytest.approx((variance - mean) / mean**2, rel=0.05)
    written = tmp_path / "request.yaml"
    written.write_text(as_text(found, "rows.csv"))
    assert load_request(written) == found.request
    even = write_columns(tmp_path / "even.csv", {"age": [20, 31, 45, 58, 60] * 10, "visits": [2, 3] * 25})
    steady = suggest(even, Choices("visits", "visits", kind="negative_binomial_regression"))
    assert str(steady.request.model.dispersion) == "0.001"


def test_times_until_an_event_are_asked_for_with_the_column_of_events(tmp_path):
    rows = {"age": [20, 31, 45, 58, 60] * 20, "died": [0, 1] * 50, "months": [3, 8, 8, 12, 30] * 20}
    sample = write_columns(tmp_path / "rows.csv", rows)
    found = suggest(sample, Choices("months", "lives", kind="cox_regression", event="died"))
    assert ([one.name for one in found.request.features], found.request.model.event) == (["age"], "died")
    assert found.request.start.start == "zero"
    assert not mismatches(found.request, card_of("rows", read_statistic(sample)))
    written = tmp_path / "request.yaml"
    written.write_text(as_text(found, "rows.csv"))
    assert load_request(written) == found.request


@pytest.mark.parametrize(
    ("kind", "event", "says"),
    [
        ("cox_regression", None, "needs --event COLUMN"),
        ("cox_regression", "lived", "--event: .* has no column 'lived'"),
        ("linear_regression", "died", "linear_regression has no --event"),
    ],
)
def test_a_column_of_events_is_missed_where_it_is_needed_alone(tmp_path, kind, event, says):
    rows = {"age": [20, 31, 45, 58, 60] * 10, "died": [0, 1] * 25, "months": [3, 8, 8, 12, 30] * 10}
    sample = write_columns(tmp_path / "rows.csv", rows)
    with pytest.raises(MisuseError, match=says):
        suggest(sample, Choices("months", "lives", kind=kind, event=event))


def test_a_suggestion_without_a_target_names_the_columns(tmp_path):
    sample = tmp_path / "rows.csv"
    sample.write_text("a,b\n1,2\n2,3\n")
    with pytest.raises(MisuseError, match=r"--target COLUMN names what is to be predicted; .* has a, b"):
        suggest(sample, Choices(None, "rows"))
