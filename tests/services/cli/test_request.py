import pytest

from services.common.documents import load_request
from tests.support.daemons.command_line import refused, run, run_json
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
