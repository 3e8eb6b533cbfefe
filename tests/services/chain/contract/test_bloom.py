"""Headers as a node makes them."""

import pytest

from services.chain.contract.bloom import may_have_logs

OTHER = "0x" + "12" * 20
NO_RECEIPTS = "0x56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421"
SOME_RECEIPTS = "0x" + "34" * 32


async def test_a_block_with_the_contracts_logs_may_have_them(anvil_market) -> None:
    await anvil_market.register()
    contract = anvil_market.deployment.market.contract
    *_, log = await anvil_market.rpc.call("eth_getLogs", {"address": contract, "fromBlock": "0x0"})
    header = await anvil_market.rpc.call("eth_getBlockByHash", log["blockHash"], False)
    assert may_have_logs(header, contract)
    assert may_have_logs(header, contract, *log["topics"])
    assert not may_have_logs(header, OTHER)
    assert not may_have_logs(header, contract, "0x" + "56" * 32)


async def test_an_empty_block_has_none_whatever_its_filter_says(anvil_market) -> None:
    await anvil_market.rpc.call("evm_mine")
    header = await anvil_market.rpc.call("eth_getBlockByNumber", "latest", False)
    for bloom in ("00", "ff"):
        assert not may_have_logs(header | {"logsBloom": "0x" + bloom * 256}, OTHER)


def test_the_root_of_no_receipts_over_transactions_rules_nothing_out() -> None:
    """Ethermint gives it for every block, so that a block whose logs are late would be taken for empty."""
    header = {"receiptsRoot": NO_RECEIPTS, "transactions": ["0x" + "78" * 32]}
    assert may_have_logs(header | {"logsBloom": "0x" + "ff" * 256}, OTHER)
    assert may_have_logs(header | {"logsBloom": "0x" + "00" * 256}, OTHER)
    assert not may_have_logs(header | {"logsBloom": "0x" + "00" * 255 + "01"}, OTHER)
    assert not may_have_logs(header | {"transactions": []}, OTHER)


async def test_the_embedded_chains_headers_say_the_same(market) -> None:
    await market.register()
    header = await market.rpc.call("eth_getBlockByNumber", "latest", False)
    assert may_have_logs(header, market.deployment.market.contract)
    assert not may_have_logs(header, OTHER)
    await market.rpc.call("evm_mine")
    header = await market.rpc.call("eth_getBlockByNumber", "latest", False)
    assert not may_have_logs(header, market.deployment.market.contract)


@pytest.mark.parametrize("bloom", [None, 7, "0x00", "0x" + "00" * 256, "0x" + "ff" * 256])
def test_a_filter_that_says_nothing_rules_nothing_out(bloom) -> None:
    assert may_have_logs({"receiptsRoot": SOME_RECEIPTS, "logsBloom": bloom}, OTHER)
    assert may_have_logs({"logsBloom": bloom}, OTHER)
