"""The artifact in the wheel is what the sources compile to, and what forge tests."""

import json

import pytest

from contracts import forge

LARGEST_CODE = 24_576  # EIP-170
LARGEST_CREATION_CODE = 49_152  # EIP-3860


@pytest.mark.parametrize(
    "artifact", [forge.build.ARTIFACT, forge.build.TEST_TOKEN], ids=lambda path: path.stem
)
def test_the_artifact_is_what_the_sources_compile_to_byte_for_byte(artifact):
    assert artifact.read_bytes() == forge.build.compiled(artifact), "run `make contracts` and commit"


def test_forge_tests_the_bytes_that_are_deployed(forge_output):
    artifact = json.loads(forge.build.ARTIFACT.read_text())
    compiled = forge_output("Marketplace.sol", "Marketplace")
    assert compiled["bytecode"]["object"] == artifact["bytecode"]
    assert _entries(compiled["abi"]) == _entries(artifact["abi"])


def test_the_contract_fits_its_chain():
    artifact = json.loads(forge.build.ARTIFACT.read_text())
    assert artifact["runtime_bytes"] <= LARGEST_CODE
    assert artifact["created"]["runtime_bytes"] <= LARGEST_CODE
    assert len(bytes.fromhex(artifact["bytecode"][2:])) <= LARGEST_CREATION_CODE


def _entries(abi: list[dict]) -> list[str]:
    return sorted(json.dumps(entry, sort_keys=True) for entry in abi)
