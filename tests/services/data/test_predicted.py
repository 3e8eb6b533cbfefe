import numpy as np
import pytest

from protocol.errors import MisuseError
from protocol.preparation.tables import Texts
from services.data.column_suggestion import EXACT
from services.data.predicted import aim_of, predicted, require_column

GRADES = Texts.of(["low", "high", "low", "mid", "low", "mid", "low", "high"])
COLUMNS = {
    "grade": (GRADES, "text"),
    "gaps": (Texts.of(["low", None, "mid"]), "text"),
    "two": (Texts.of(["yes please", "no thanks"]), "text"),
    "ill": (np.array([0.0, 1, 1, 0, 0, 0, 0, 0]), "boolean"),
    "price": (np.arange(8.0), "number"),
    "day": (np.arange(8.0), "date"),
}


def found(kind, target=None, targets=None, level=None):
    aim = aim_of(kind, target, targets, level)
    return predicted(aim, COLUMNS, EXACT, lambda values: f"{values.mean():.6g}")


def test_classes_are_all_levels_in_order_each_with_its_share():
    one = found("several_classes", "grade")
    assert one.fields["target"] == {"name": "grade", "kind": "categorical", "levels": ("high", "low", "mid")}
    assert one.fields["start"] == {"start": "means", "values": ("0.25", "0.5", "0.25")}
    assert (one.rows, one.numbers) == (8, None)


def test_several_targets_each_have_a_range_and_a_mean():
    one = found("several_targets", targets=["price", "ill"])
    assert [target["name"] for target in one.fields["targets"]] == ["price", "ill"]
    assert one.fields["start"] == {"start": "means", "values": ("3.5", "0.25")}


@pytest.mark.parametrize("kind", ["binary_classification", "logistic_regression", "linear_regression"])
def test_a_level_of_texts_counts_as_one(kind):
    one = found(kind, "grade", level="mid")
    assert one.fields["target"] == {"name": "grade", "kind": "boolean", "level": "mid"}
    assert one.fields["start"] == {"start": "mean", "value": "0.25"}
    assert one.numbers is not None
    assert one.numbers.tolist() == [0, 0, 0, 1, 0, 1, 0, 0]


@pytest.mark.parametrize(
    ("kind", "target", "targets", "level", "said"),
    [
        ("several_targets", "price", None, None, "predicts 2 to 16 columns: name them with --targets a,b,c"),
        ("several_targets", None, ["price"], None, "name them with --targets"),
        ("several_targets", None, ["price"] * 2, None, "names a column twice: price,price"),
        ("linear_regression", None, ["price", "ill"], None, "--targets is for --kind several_targets"),
        ("several_classes", "grade", None, "low", "--level .* several_classes has none"),
        ("several_classes", "two", None, None, "2 different values, .* --kind binary_classification --level"),
        ("several_classes", "gaps", None, None, "no value in row 2"),
        ("several_classes", "price", None, None, "it holds numbers; levels of texts are needed"),
        ("binary_classification", "grade", None, "lo", "--level 'lo' must be .* 'high', 'low', 'mid'"),
        ("binary_classification", "grade", None, None, "several_classes tells its levels apart, --level"),
        ("logistic_regression", "price", None, None, "a column of 0 and 1, which it is not: .*--level"),
        ("linear_regression", "day", None, None, "it holds dates; .* such as days since another date"),
    ],
)
def test_what_cannot_be_predicted_is_told_with_the_remedy(kind, target, targets, level, said):
    with pytest.raises(MisuseError, match=said):
        found(kind, target, targets, level)


def test_numbered_classes_are_read_as_texts():
    assert aim_of("several_classes", " grade ").texts == ("grade",)
    assert aim_of("linear_regression", "grade").texts == ()


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("iill", "no column 'iill' to predict: did you mean 'ill'\\? rows.csv has"),
        ("zz", "'zz' to predict; rows"),
    ],
)
def test_a_column_that_is_not_there_is_told_with_the_one_that_was_meant(target, said):
    with pytest.raises(MisuseError, match=said):
        require_column(target, tuple(COLUMNS), "rows.csv")
