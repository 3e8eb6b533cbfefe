"""Blooms as a node makes them."""

from services.chain.contract.bloom import may_contain


async def test_a_block_with_the_contracts_logs_may_contain_it(anvil_market) -> None:
    await anvil_market.register()
    block = await anvil_market.rpc.call("eth_getBlockByNumber", "latest", False)
    contract = anvil_market.deployment.market.contract
    assert may_contain(block["logsBloom"], contract)
    assert not may_contain(block["logsBloom"], "0x" + "12" * 20)


def test_no_bloom_says_nothing() -> None:
    for bloom in (None, 7, "0x00", "0x" + "00" * 256):
        assert not may_contain(bloom, "0x" + "12" * 20)
    assert may_contain("0x" + "ff" * 256, "0x" + "12" * 20)
