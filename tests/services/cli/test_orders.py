"""Orders on the command line: what cannot be ordered is told before anything is opened or sent."""

from pathlib import Path

import pytest
import yaml

from tests.support.daemons.command_line import refused

ROOT = Path(__file__).parents[3]
CONFIG = ROOT / "deploy" / "config" / "model-buyer.yaml"
SAMPLE = yaml.safe_load((ROOT / "REQUEST.yaml").read_text())
DOCUMENT = {**SAMPLE, "schedule": {**SAMPLE["schedule"], "rounds": 100}}


@pytest.mark.parametrize(
    ("part", "told"),
    [
        (
            {"payment": {**DOCUMENT["payment"], "deposit_wei": "4999999"}},
            "a deposit of 4999999 wei is too low for 100 rounds of 5 owners: the contract asks for 5000000",
        ),
        (
            {"bounds": {**DOCUMENT["bounds"], "residual_bits": 64}},
            "bounds.residual_bits is 64; with 3 trainers the contract takes errors of 33 bits",
        ),
        ({"start": {"start": "training", "training": 7}}, "start: training 7 cannot be continued yet"),
    ],
    ids=["deposit", "widths", "start"],
)
def test_what_could_not_be_ordered_is_refused_before_the_key_store_is_opened(tmp_path, part, told):
    request = tmp_path / "request.yaml"
    request.write_text(yaml.safe_dump({**DOCUMENT, **part}))
    assert told in refused("train", request, "--config", CONFIG)
