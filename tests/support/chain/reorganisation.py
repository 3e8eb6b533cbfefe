"""Having anvil replace its newest blocks."""

FATES = ("gone", "in their places", "in the last block")
"""What becomes of the transactions in replaced blocks."""


async def reorganise(rpc, depth, fate) -> None:
    """Replace the newest blocks; their transactions are mined again or not, as their fate is."""
    kept = [] if fate == "gone" else await transactions_of(rpc, depth)
    last = depth - 1
    await rpc.call("anvil_reorg", depth, [[raw, at if "places" in fate else last] for raw, at in kept])


async def transactions_of(rpc, depth):
    """(raw transaction, place of its block among the newest `depth`)."""
    head = int(await rpc.call("eth_blockNumber"), 16)
    numbers = range(head - depth + 1, head + 1)
    blocks = await rpc.batch([("eth_getBlockByNumber", [hex(number), False]) for number in numbers])
    return [
        (await rpc.call("eth_getRawTransactionByHash", sent), place)
        for place, block in enumerate(blocks)
        for sent in block["transactions"]
    ]
