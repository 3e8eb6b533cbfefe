"""The artifacts in the wheel are of the sources as they are.

`make campaigns` compiles them anew and compares byte for byte.
"""

import json

import pytest

from contracts.forge import build

LARGEST_CODE = 24_576  # EIP-170
LARGEST_CREATION_CODE = 49_152  # EIP-3860


@pytest.mark.parametrize("path", [build.ARTIFACT, build.TEST_TOKEN], ids=lambda path: path.stem)
def test_the_artifact_was_made_of_these_sources_with_these_settings(path):
    artifact, stamp = json.loads(path.read_text()), build.stamp(path)
    assert artifact["compiler"].startswith(stamp.pop("release") + "+"), "run `make contracts` and commit"
    assert stamp == {name: artifact[name] for name in stamp}, "run `make contracts` and commit"


def test_the_contract_fits_its_chain():
    artifact = json.loads(build.ARTIFACT.read_text())
    assert artifact["runtime_bytes"] <= LARGEST_CODE
    assert artifact["created"]["runtime_bytes"] <= LARGEST_CODE
    assert len(bytes.fromhex(artifact["bytecode"][2:])) <= LARGEST_CREATION_CODE
