"""The artifact in the wheel is what the sources compile to, and what forge tests."""

import json

from contracts import forge

LARGEST_CODE = 24_576  # EIP-170
LARGEST_CREATION_CODE = 49_152  # EIP-3860


def test_the_token_is_what_its_sources_compile_to_byte_for_byte():
    content = forge.build.TEST_TOKEN.read_bytes()
    assert content == forge.build.compiled(forge.build.TEST_TOKEN), "run `make contracts` and commit"


def test_the_market_is_what_forge_tests_and_compiles_the_sources_to(forge_output):
    """All but the order of the ABI's entries; `contracts/build.py --check` compiles it anew."""
    forge_output("Marketplace.sol", "Marketplace")
    artifact = json.loads(forge.build.ARTIFACT.read_text())
    compiled = json.loads(forge.build.compiled(forged=forge.FOLDER / "out"))
    abi, expected = compiled.pop("abi"), artifact.pop("abi")
    assert artifact == compiled, "run `make contracts` and commit"
    assert _entries(expected) == _entries(abi)


def test_the_contract_fits_its_chain():
    artifact = json.loads(forge.build.ARTIFACT.read_text())
    assert artifact["runtime_bytes"] <= LARGEST_CODE
    assert artifact["created"]["runtime_bytes"] <= LARGEST_CODE
    assert len(bytes.fromhex(artifact["bytecode"][2:])) <= LARGEST_CREATION_CODE


def _entries(abi: list[dict]) -> list[str]:
    return sorted(json.dumps(entry, sort_keys=True) for entry in abi)
