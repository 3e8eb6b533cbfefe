import pytest
import yaml

from services.common.documents import load_request
from services.data.beyond_budget import beyond_budget
from tests.support.daemons.command_line import refused, run, run_json
from tests.support.deployment.documents import any_request
from tests.support.generalized import document_of
from tests.support.tables import HOUSES, houses, write_csv


@pytest.fixture
def sample(tmp_path):
    return write_csv(tmp_path / "houses.csv", HOUSES, houses(60))


def test_a_suggestion_goes_to_standard_output_or_to_a_new_file(sample, tmp_path):
    printed = run("request", "suggest", sample, "--target", "price").stdout
    out = tmp_path / "request.yaml"
    told = run("request", "suggest", sample, "--target", "price", "--out", out)
    assert out.read_text() == printed
    assert told.stdout == ""
    assert "put your aggregator's address there, then: deltaml train" in told.stderr
    assert load_request(out).name == "houses"
    assert "exists already" in refused("request", "suggest", sample, "--target", "price", "--out", out)
    assert out.read_text() == printed
    run("request", "suggest", sample, "--target", "area", "--out", out, "--force")
    assert load_request(out).target.name == "area"


def test_an_aggregator_that_was_given_is_not_asked_for_again(sample, tmp_path):
    wanted = ("--target", "price", "--aggregator", "0x" + "a" * 40, "--out", tmp_path / "request.yaml")
    assert "your aggregator's address" not in run("request", "suggest", sample, *wanted).stderr


def test_a_request_for_a_classification_is_suggested_and_read_back(tmp_path):
    rows = [[number, number % 7, number % 3 == 0] for number in range(60)]
    sample = tmp_path / "rows.csv"
    sample.write_text("a,b,ill\n" + "".join(f"{a / 7},{b},{int(ill)}\n" for a, b, ill in rows))
    out = tmp_path / "request.yaml"
    wanted = ("request", "suggest", sample, "--target", "ill", "--kind")
    run(*wanted, "binary_classification", "--out", out)
    request = load_request(out)
    assert (request.model.kind, request.target.kind) == ("binary_classification", "boolean")
    assert request.start.model_dump() == {"start": "mean", "value": "0.333"}
    assert "'oracle' is unknown; choose one of linear_regression, binary_classification" in refused(
        *wanted, "oracle"
    )
    numeric = refused("request", "suggest", sample, "--target", "a", "--kind", "binary_classification")
    assert "predicts a column of 0 and 1, which it is not: name such a column with --target" in numeric


HUB, OTHER = "0x" + "ab" * 20, "0x" + "cd" * 20


def buyer(folder, *aggregators):
    config = folder / "buyer.yaml"
    document = {
        "daemon": "model-buyer",
        "broker": {"url": "amqp://party@127.0.0.1:5672/deltaml"},
        "chain": {"url": "http://127.0.0.1:8545", "chain_id": 31337, "contract": "0x" + "c0" * 20},
        "keystore": "keys",
        "passphrase_file": "passphrase",
        "aggregators": list(aggregators),
        "names": {OTHER: "Hub two"},
    }
    config.write_text(yaml.safe_dump(document))
    return config


def test_the_aggregator_is_that_of_the_buyers_file_or_one_that_it_names(sample, tmp_path):
    def aggregator(*options):
        found = run_json("request", "suggest", sample, "--target", "price", *options)
        return found["request"]["aggregator"]

    config = buyer(tmp_path, HUB)
    assert aggregator("--config", config) == HUB
    assert aggregator("--config", config, "--aggregator", "Hub two") == OTHER
    out = ("--out", tmp_path / "request.yaml", "--config", config)
    told = run("request", "suggest", sample, "--target", "price", *out).stderr
    assert f"look through it, then: deltaml train {tmp_path / 'request.yaml'} --config {config}" in told
    both = ("request", "suggest", sample, "--target", "price", "--config", buyer(tmp_path, HUB, OTHER))
    assert "has 2 aggregators; choose one with --aggregator" in refused(*both)


def test_a_suggestion_for_programs(sample):
    found = run_json("request", "suggest", sample, "--target", "price")
    assert found["left_out"] == {}
    assert found["request"]["target"]["name"] == "price"


def test_columns_are_chosen_or_left_out(sample):
    def features(*options):
        found = run_json("request", "suggest", sample, "--target", "price", *options)
        return [column["name"] for column in found["request"]["features"]]

    assert features("--columns", "tax, area") == ["area", "tax"]
    assert features("--without", "tax,area") == ["rooms", "year", "distance", "income"]
    assert "no column 'size'" in refused(
        "request", "suggest", sample, "--target", "price", "--columns", "size"
    )


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--target", "cost"), "no column 'cost' to predict"),
        (("--target", "price", "--deposit", "much"), "--deposit"),
        (("--target", "price", "--deposit", "1"), "wei at least; use --deposit "),
        (("--target", "price", "--aggregator", "0x12"), "--aggregator '0x12' is not an address"),
    ],
)
def test_what_cannot_be_asked_for(sample, options, said):
    assert said in refused("request", "suggest", sample, *options)


def few(folder, least):
    """A request for counts of two features, from owners with so many rows."""
    request = any_request(**document_of("poisson_regression"), bounds={"min_rows": least})
    file = folder / "request.yaml"
    file.write_text(yaml.safe_dump(request.model_dump(mode="json")))
    return file


def test_a_request_is_checked_and_told_where_owners_may_have_too_few_rows_for_their_own_fit(tmp_path):
    """A hand-written one: with few rows shuffled targets earn a part of the pot."""
    warned = run("request", "check", few(tmp_path, 29))
    assert "can be ordered" in warned.stdout
    assert "warning: bounds.min_rows is 29" in warned.stderr
    assert "min_rows: 30" in warned.stderr
    assert len(run_json("request", "check", few(tmp_path, 29))["warnings"]) == 1
    assert "warning" not in run("request", "check", few(tmp_path, 30)).stderr


@pytest.mark.parametrize(("kind", "enough"), [("linear_regression", 15), ("binary_classification", 30)])
def test_least_squares_of_few_rows_is_warned_of_too(kind, enough, tmp_path):
    """Of two features and the intercept."""
    asked = (
        {} if kind == "linear_regression" else {**document_of("logistic_regression"), "model": {"kind": kind}}
    )
    file = tmp_path / "request.yaml"
    for least, told in ((enough - 1, 1), (enough, 0)):
        wanted = any_request(**asked, bounds={"min_rows": least})
        file.write_text(yaml.safe_dump(wanted.model_dump(mode="json")))
        warnings = run_json("request", "check", file)["warnings"]
        assert len(warnings) == told
        assert not told or f"min_rows: {enough}" in warnings[0]


def test_curves_are_suggested_where_they_are_asked_for_and_counted_by_check(sample, tmp_path):
    out = tmp_path / "request.yaml"
    run("request", "suggest", sample, "--target", "price", "--curves", "--out", out)
    request = load_request(out)
    assert {basis.kind for basis in request.basis} == {"spline"}
    told = run("request", "check", out).stdout
    assert f"{len(request.weight_names)} weights, {len(request.curve_names)} of them of curves" in told
    assert run_json("request", "check", out)["curves"] == len(request.curve_names)


def test_a_path_of_penalties_is_suggested_with_rounds_that_share_out_over_it(sample, tmp_path):
    out = tmp_path / "request.yaml"
    run("request", "suggest", sample, "--target", "price", "--ridge", "1, 0.1,0.01", "--out", out)
    request = load_request(out)
    assert list(map(float, request.model.ridges)) == [1, 0.1, 0.01]
    assert request.schedule.rounds == 6
    assert "l2: [1, 0.1, 0.01] # Ridge's λ, 2 rounds each" in out.read_text()
    one = run("request", "suggest", sample, "--target", "price", "--ridge", "0.5").stdout
    assert "l2: 0.5 # Ridge's λ" in one
    wrong = ("request", "suggest", sample, "--target", "price", "--ridge", "0.1,1")
    assert "a path of l2 falls" in refused(*wrong)


def test_of_curves_that_owners_refuse_by_default_is_told_what_they_have_to_allow(tmp_path):
    file = tmp_path / "request.yaml"
    owners = {"minimum": 4, "maximum": 5}
    for number, warnings in ((100, 1), (0, 0)):
        waves = [{"kind": "fourier", "columns": ["age"], "number": number}] if number else []
        wanted = any_request(basis=waves, owners=owners, schedule={"rounds": 1})
        file.write_text(yaml.safe_dump(wanted.model_dump(mode="json")))
        assert len(run_json("request", "check", file)["warnings"]) == warnings
    curved = any_request(basis=[{"kind": "fourier", "columns": ["age"], "number": 100}], owners=owners)
    found = beyond_budget(curved)
    assert f"may publish {found.asked} numbers" in str(found)
    assert str(found).endswith(f"--per-buyer {found.asked} --in-total {found.asked}")
    assert str(found._replace(in_total=found.asked)).endswith(f"--per-buyer {found.asked}")


def test_before_the_order_a_buyer_of_standard_errors_is_told_whose_silence_would_keep_them(tmp_path):
    file, columns = (
        tmp_path / "request.yaml",
        [{"name": f"x{i}", "minimum": 0, "maximum": 1} for i in range(10)],
    )
    for asked in (False, True):
        owners = {"minimum": 7, "maximum": 7}
        wanted = any_request(
            inference=asked, owners=owners, features=columns, schedule={}, bounds={"min_rows": 60}
        )
        file.write_text(yaml.safe_dump(wanted.model_dump(mode="json")))
        told = run("request", "check", file).stderr
        assert ("warning: standard errors need an answer of every trainer" in told) is asked


def test_of_standard_errors_that_owners_refuse_by_default_is_told_what_they_have_to_allow():
    few, many = ({"minimum": 7, "maximum": most} for most in (7, 64))
    told = beyond_budget(any_request(inference=True, owners=many))
    assert "leave inference out" in str(told)
    wide = [{"name": f"x{place}", "minimum": 0, "maximum": 1} for place in range(10)]
    assert beyond_budget(any_request(inference=True, owners=few, features=wide, schedule={})) is None


def test_a_suggestion_with_curves_tells_what_owners_have_to_allow(sample):
    wanted = ("request", "suggest", sample, "--target", "price")
    assert "owners let a buyer have" in run(*wanted, "--curves").stderr
    assert "owners let a buyer have" not in run(*wanted).stderr
