from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
import yaml

from protocol.data_set import card_of, faults
from protocol.errors import MisuseError
from protocol.learning.statistic import StatisticBuilder
from protocol.request import Request
from protocol.requirements import mismatches
from protocol.roles.rounds.requests import require_checkable
from protocol.roles.shared.request_widths import check_widths
from protocol.scaling import to_own_units
from services.common.documents import load_request
from services.common.errors import DataSetError
from services.data.dealt_rows import data_sets_of
from services.data.sample_request import DemoOptions, column_notes, demo_request, load_data
from services.data.samples import deal, diabetes
from tests.support.thesis.thesis_residuals import (
    ITERATIONS,
    TRAINERS,
    VALIDATORS,
    thesis_training,
)

ROWS = "town,area,country,gap,price\n" + "".join(
    f"Bonn,{n},49,{n if n % 9 else ''},{3 * n}\n" for n in range(40)
)
DOCUMENT = Path(__file__).parents[3] / "REQUEST.yaml"


def statistic(columns, rows):
    builder = StatisticBuilder(columns)
    builder.add(rows)
    return builder.finish()


def test_the_document_asks_for_the_diabetes_training_with_the_defaults():
    request = load_request(DOCUMENT)
    assert [column.name for column in request.features] == [*diabetes()[0][:-1]]
    assert (request.target.minimum, request.target.maximum) == (0, 400)
    defaults = {"scale", "schedule", "model", "bounds", "key_bits", "deadlines"}
    plain = {name for name in defaults if getattr(request, name) != Request.model_fields[name].get_default()}
    assert plain == {"bounds"}, "min_rows alone is chosen"
    assert request.start_weights()[-1] == (152 - Decimal(200)) / Decimal(200)
    assert request.owners.maximum == 5
    assert request.payment.deposit_wei == 10**18
    assert request.key_bits == 3072
    check_widths(request)


def test_every_owner_of_the_diabetes_data_serves_it():
    columns, rows = diabetes()
    for part in deal(rows, 5, seed=39):
        assert mismatches(load_request(DOCUMENT), card_of("rows", statistic(columns, part))) == ()


@pytest.fixture
def rows(tmp_path):
    """A spreadsheet with a text column, one that never varies and one with gaps."""
    path = tmp_path / "rows.csv"
    path.write_text(ROWS)
    return path


@pytest.mark.parametrize("columns", ["area,price", " price , area", "area"])
def test_columns_that_are_chosen_are_used_and_others_may_hold_anything(rows, columns):
    options = DemoOptions(data=rows, target="price", columns=columns)
    data = load_data(options)
    assert (data.features, data.targets) == (("area",), ("price",))
    assert data.column("price").sum() == 3 * data.column("area").sum()
    demo_request(options, data, "0x" + "0" * 40)


def test_an_error_about_a_column_says_how_to_do_without_it(tmp_path):
    rows = tmp_path / "rows.csv"
    rows.write_text(ROWS.replace("Bonn,7,", "Bonn,about 7,"))
    said = "row 8: column 'area' is not numeric; .*; --columns a,b,c takes the columns that it names, and no"
    with pytest.raises(DataSetError, match=said):
        load_data(DemoOptions(data=rows, target="price"))


def test_gaps_have_a_weight_and_texts_that_are_no_levels_are_left_out_with_the_reason(rows):
    options = DemoOptions(data=rows, columns="town,gap,price", owners=4)
    data = load_data(options)
    assert column_notes(options, data)[0].startswith("left out: column 'town' holds texts, fewer than two")
    [gap] = demo_request(options, data, "0x" + "0" * 40).features
    assert (gap.name, gap.missing, gap.minimum, gap.maximum) == ("gap", "indicator", 1, 39)
    for held in data_sets_of(data).values():
        assert mismatches(demo_request(options, data, "0x" + "0" * 40), held.card) == ()
        assert faults(held.card, held.statistic) == ()
    with pytest.raises(MisuseError, match="column 'gap' holds other values than numbers, or gaps"):
        demo_request(replace(options, thesis=True), data, "0x" + "0" * 40)


def test_a_column_that_counts_the_rows_is_left_out_unless_it_is_chosen(rows):
    options = DemoOptions(data=rows, target="price")
    data = load_data(options)
    assert data.features == ("gap",)
    assert "left out: column 'area' counts the rows in whole numbers; --columns takes it all the same" in (
        column_notes(options, data)
    )
    assert load_data(replace(options, columns="area,price")).features == ("area",)


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("town", "the target 'town' cannot be predicted: it holds texts; a target is numeric"),
        ("gap", "the target 'gap' cannot be predicted: it has no value in row 1; fill such values"),
    ],
)
def test_a_target_that_cannot_be_predicted_is_told(rows, target, said):
    with pytest.raises(MisuseError, match=said):
        load_data(DemoOptions(data=rows, target=target))


def test_a_last_column_that_cannot_be_predicted_is_told_with_the_option_that_names_another(tmp_path):
    rows = tmp_path / "rows.csv"
    rows.write_text("area,town\n1,a\n2,b\n")
    with pytest.raises(
        MisuseError,
        match=r"yes and no: .* predicts one of them; it is the last column: --target names another",
    ):
        load_data(DemoOptions(data=rows))


def test_a_column_that_never_varies_is_left_out_with_the_reason_and_is_no_target(rows):
    options = DemoOptions(data=rows, columns="area,country,price")
    data = load_data(options)
    assert column_notes(options, data)[0] == "left out: column 'country' has one value in every row"
    assert data.features == ("area",)
    with pytest.raises(MisuseError, match="'country' cannot be predicted: column 'country' has one value in"):
        load_data(replace(options, target="country"))


def test_other_data_do_not_serve_it():
    columns, rows = diabetes()
    request = load_request(DOCUMENT)
    assert mismatches(request, card_of("a", statistic(columns, rows[:63]))) == (
        "32 rows or more; at least 60 asked",
    )
    scaled = rows * np.where(np.array(columns) == "bmi", 10, 1)
    found = mismatches(request, card_of("a", statistic(columns, scaled)))
    assert found[0].startswith("column 'bmi' runs from")
    assert mismatches(request, card_of("a", statistic(columns[1:], rows[:, 1:]))) == ("no column 'age'",)


def test_every_field_of_a_request_is_written_out_with_its_comment():
    text = DOCUMENT.read_text()
    document = yaml.safe_load(text)
    for name, field in Request.model_fields.items():
        assert name in document or f"\n#   {name}:" in text
        inner = getattr(field.annotation, "model_fields", {})
        for part in inner:
            assert part in document[name] or f"\n  # {part}:" in text, f"{name}.{part}"
    lines = text.splitlines()
    for name in (*document["schedule"], *document["payment"], *document["bounds"], *document["deadlines"]):
        line = next(line for line in lines if line.startswith(f"  {name}:"))
        assert " # " in line, name


@pytest.mark.parametrize("kind", ["binary_classification", "logistic_regression"])
def test_a_classification_of_no_classes_says_how_to_name_rows_that_have_some(tmp_path, kind):
    options = DemoOptions(kind=kind)
    with pytest.raises(MisuseError, match=f"'target' cannot .*{kind} .* which it is not: .* --target"):
        load_data(options)
    rows = tmp_path / "rows.csv"
    rows.write_text("x,ill\n" + "".join(f"{n * 0.37},{n % 2}\n" for n in range(40)))
    options = replace(options, data=rows)
    assert demo_request(options, load_data(options), "0x" + "0" * 40).target.kind == "boolean"


def test_the_thesis_between_scaled_columns_comes_to_its_own_weights():
    """A step is the same for a target that is shifted and stretched, and its features stay as they are."""
    options = DemoOptions(thesis=True, rounds=ITERATIONS, local_steps=1, key_bits=1024)
    request = demo_request(options, load_data(options), "0x" + "0" * 40)
    require_checkable(request)
    _names, rows = diabetes()
    scaled = np.column_stack(
        [
            (rows.T[place] - float(one.center)) / float(one.half)
            for place, one in enumerate(request.scalings())
        ]
    )
    parts = [
        (np.column_stack([part[:, :-1], np.ones(len(part))]), part[:, -1])
        for part in np.array_split(scaled, TRAINERS + VALIDATORS)[:TRAINERS]
    ]
    weights = np.array([float(weight) for weight in request.start_weights()])
    for _ in range(ITERATIONS):
        steps = [x.T @ (x @ weights - y) / len(y) for x, y in parts]
        weights = weights - float(request.schedule.step_size) * np.mean(steps, axis=0)
    rounded = thesis_training().models[-1]  # to three decimals in each iteration
    assert to_own_units(weights.tolist(), request.scalings()) == pytest.approx(rounded, abs=0.05)


def test_the_thesis_takes_no_feature_that_would_be_scaled(tmp_path):
    file = tmp_path / "rows.csv"
    file.write_text("x,y\n" + "".join(f"{n * 0.37},{n}\n" for n in range(40)))
    options = DemoOptions(thesis=True, data=file)
    with pytest.raises(MisuseError, match=r"column 'x' goes from 0 to 14\.43, .* leave out --thesis"):
        demo_request(options, load_data(options), "0x" + "0" * 40)
