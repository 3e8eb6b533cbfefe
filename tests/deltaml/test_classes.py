"""Several classes by a training each: what is ordered, what it costs, and what the models say together."""

import numpy as np
import pandas as pd
import pytest
import yaml

import deltaml
from deltaml.class_predictions import BoughtClasses
from deltaml.classes import ClassSimulation
from protocol.bought_model import BoughtModel
from protocol.data_set import card_of
from protocol.errors import MisuseError
from protocol.learning.kinds.registry import kind_of
from protocol.learning.statistic import StatisticBuilder
from protocol.preparation.tables import Texts
from protocol.requirements import mismatches
from services.data.predictions import open_rows, predict_rows
from tests.support.deployment.documents import any_request, request_content

SHARES = {"a": 0.5, "b": 0.3, "c": 0.2}
DOCUMENT = {
    **request_content(start={"start": "zero"}),
    "features": [{"name": "x", "minimum": -3, "maximum": 3}],
    "target": {"name": "class"},
}


def rows(count=60, seed=1):
    generator = np.random.default_rng(seed)
    codes = generator.integers(0, 3, count)
    return {"x": codes - 1 + generator.uniform(-0.4, 0.4, count), "class": Texts(codes, ("a", "b", "c"))}


def statistic():
    builder = StatisticBuilder({"x": "number", "class": "text"})
    builder.add(rows())
    return builder.finish()


def model(level, weight, intercept):
    return BoughtModel(
        name="m",
        kind="binary_classification",
        features=("x",),
        target="class",
        target_kind="boolean",
        target_level=level,
        weights=(weight,),
        intercept=intercept,
    )


MODELS = {"b": model("b", 0.0, -0.5), "a": model("a", -3.0, 0.0), "c": model("c", 3.0, 0.0)}


def test_each_class_is_a_request_of_its_own_with_its_own_deposit():
    requests = deltaml.class_requests(DOCUMENT, SHARES)
    assert [one.target.level for one in requests.values()] == ["a", "b", "c"]
    assert len({one.hash() for one in requests.values()}) == 3
    assert {one.model.kind for one in requests.values()} == {"binary_classification"}
    assert deltaml.price_of(requests) == 3 * requests["a"].payment.deposit_wei


@pytest.mark.parametrize(
    ("model", "kind"),
    [
        ({}, "binary_classification"),
        ({"model": {"l2": "0.5"}}, "binary_classification"),
        ({"model": {"kind": "logistic_regression"}}, "logistic_regression"),
    ],
)
def test_a_file_is_read_as_its_fields_are(tmp_path, model, kind):
    document = {**DOCUMENT, **model}
    file = tmp_path / "wines.yaml"
    file.write_text(yaml.safe_dump(document))
    requests = deltaml.class_requests(file, SHARES)
    assert requests == deltaml.class_requests(document, SHARES) == deltaml.class_requests(str(file), SHARES)
    assert {one.model.kind for one in requests.values()} == {kind}


@pytest.mark.parametrize("kind", [None, "binary_classification", "logistic_regression"])
def test_a_request_is_asked_again_of_each_class(kind):
    target = {} if kind is None else {"target": {"name": "class", "kind": "boolean"}}
    model, start = {} if kind is None else {"model": {"kind": kind}}, {"start": "mean", "value": "0.5"}
    requests = deltaml.class_requests(any_request(**model, **target, start=start), SHARES)
    assert {one.model.kind for one in requests.values()} == {kind or "binary_classification"}


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"model": {"kind": "poisson_regression"}}, "poisson_regression"),
        ({"target": "class"}, "target is 'class'; it must hold fields"),
        ({"model": None}, "model is 'None'; it must hold fields"),
        ({"target": {}}, "target.name"),
    ],
)
def test_what_has_no_classes_is_refused(changed, said):
    with pytest.raises(MisuseError, match=said):
        deltaml.class_requests({**DOCUMENT, **changed}, SHARES)


def test_a_document_without_a_name_has_none_made_up():
    nameless = {name: value for name, value in DOCUMENT.items() if name != "name"}
    with pytest.raises(MisuseError, match="name: is missing"):
        deltaml.class_requests(nameless, SHARES)


def test_two_classes_are_one_training():
    with pytest.raises(MisuseError, match="one training tells two apart"):
        deltaml.class_requests(DOCUMENT, {"a": 0.5, "b": 0.5})


def test_the_statistic_of_texts_serves_every_class_without_another_look_at_the_rows():
    card, kept = card_of("rows", statistic(), exact=True), statistic()
    truth = np.array(["a", "b", "c"])[rows()["class"].codes]
    for level, request in deltaml.class_requests(DOCUMENT, SHARES).items():
        assert mismatches(request, card) == ()
        factor = kind_of(request).measuring_factor(request, kept)
        constant = np.array([0.0, 0.0, -1.0])  # every row in the middle of the target's range
        assert np.sum((factor @ constant) ** 2) == pytest.approx(1.0)
        ones = np.array([0.0, 1.0, -1.0])
        assert np.sum((factor @ ones) ** 2) == pytest.approx(4 * np.mean(truth != level))


def test_a_column_of_numbers_has_no_classes():
    builder = StatisticBuilder(["x", "class"])
    builder.add(np.random.default_rng(1).uniform(-1, 1, (80, 2)))
    request = deltaml.class_requests(DOCUMENT, SHARES)["a"]
    [reason] = mismatches(request, card_of("rows", builder.finish(), exact=True))
    assert "holds numbers; texts asked" in str(reason)


def test_a_feature_of_one_level_is_declared_otherwise():
    features = [{"name": "x", "kind": "boolean", "level": "a"}]
    with pytest.raises(MisuseError, match="level is for a target; declare kind: categorical"):
        deltaml.class_requests({**DOCUMENT, "features": features}, SHARES)


def test_the_likeliest_class_is_predicted_and_probabilities_make_one():
    classifier = BoughtClasses(MODELS)
    table = pd.DataFrame({"x": [-2.0, 0.0, 2.0]})
    probabilities = classifier.predict_proba(table)
    assert classifier.classes_.tolist() == ["a", "b", "c"]
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)
    assert classifier.predict(table).tolist() == ["a", "a", "c"]
    apart = 1 / (1 + np.exp([-6.0, 0.5, 6.0]))
    np.testing.assert_allclose(probabilities[2], apart[::-1] * [1, 1, 1] / apart.sum(), rtol=1e-12)
    assert classifier.score(table, ["a", "a", "c"]) == 1


def test_a_file_of_texts_scores_a_class_s_model(tmp_path):
    file = tmp_path / "rows.csv"
    file.write_text("x,class\n-2,a\n2,c\n0,b\n-1,a\n")
    quality = predict_rows(open_rows(MODELS["a"], file), None)
    assert quality.reason is None
    assert quality.scores.confusion.tolist() == [[1, 1], [0, 2]]


def test_what_owners_earn_in_all_trainings_is_added_up():
    """The trainings themselves run in `make campaigns`."""
    requests = deltaml.class_requests(DOCUMENT, SHARES)
    part = deltaml.Participation("trainer", 1, 0.5, 7)
    outcome = ClassSimulation(
        {
            level: deltaml.Simulation(requests[level], MODELS[level], (), (), {"owner": part}, 1, 2)
            for level in SHARES
        }
    )
    assert outcome.payments == {"owner": 21}
    assert outcome.model.predict(pd.DataFrame({"x": [-2.0]})).tolist() == ["a"]
