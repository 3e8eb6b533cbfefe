"""What is told of deployments is bounded, whole, and about one contract each."""

import pytest

from services.chain.contract.registry import ContractRegistry
from services.common.errors import ConfigurationError
from tests.support.deployment.recorded import recorded_contract

ONE, OTHER = recorded_contract(), recorded_contract(address="0x" + "bb" * 20)


def listing(*entries):
    return f'{{"contracts": [{", ".join(entries)}]}}'


def test_what_is_written_is_read_again(tmp_path):
    registry = ContractRegistry().with_deployment(ONE).with_deployment(OTHER)
    registry.write(tmp_path / "contracts.json")
    assert ContractRegistry.read(tmp_path / "contracts.json") == registry
    assert registry.on_chain(ONE.chain_id) == (ONE, OTHER)
    assert registry.on_chain(ONE.chain_id + 1) == ()


def test_a_contract_is_listed_once():
    registry = ContractRegistry().with_deployment(ONE)
    with pytest.raises(ConfigurationError, match="is listed already"):
        registry.with_deployment(ONE.model_copy(update={"block": 7}))
    assert len(registry.with_deployment(ONE.model_copy(update={"chain_id": 7})).contracts) == 2
    full = ContractRegistry.model_construct(contracts=(ONE,) * 1000)
    with pytest.raises(ConfigurationError, match="no more can be"):
        full.with_deployment(OTHER)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "EOF"),
        ("{}x", "trailing"),
        ('{"contract": []}', "did you mean 'contracts'"),
        ('{"contracts": [7]}', "contracts.0"),
        (listing(ONE.model_dump_json(), ONE.model_dump_json()), "listed twice"),
        (listing(ONE.model_dump_json().replace("0xab", "0xxy")), "code_hash"),
    ],
)
def test_a_damaged_file_is_refused_with_what_is_wrong(tmp_path, text, told):
    file = tmp_path / "contracts.json"
    file.write_text(text)
    with pytest.raises(ConfigurationError, match=f"(?s)contracts.json is no list of contracts.*{told}"):
        ContractRegistry.find(file)


def test_a_file_that_is_missing_is_empty_only_where_one_may_be_missing(tmp_path):
    assert ContractRegistry.find(tmp_path / "contracts.json") == ContractRegistry()
    with pytest.raises(ConfigurationError, match="there is no file"):
        ContractRegistry.read(tmp_path / "contracts.json")
