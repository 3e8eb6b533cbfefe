"""A node, in a few lines, whose chain changes between any two requests."""

import itertools

from eth_hash.auto import keccak

from protocol.records import Market
from services.chain.contract.abi import event_topic
from services.chain.errors import ChainUnavailable, RpcError


class ShiftingNode:
    """Blocks whose logs are withdrawals of ever new amounts; a plan says what changes before each request."""

    MARKET = Market(chain_id=1, contract="0x" + "c" * 40)
    ACCOUNT = b"\0" * 12 + b"\xaa" * 20

    def __init__(self, plan, *, forgets=True) -> None:
        """Some nodes answer for blocks that left the chain, some forget them."""
        self.forgets = forgets
        self.amounts = itertools.count(1)
        self.blocks = [{"hash": keccak(b"0"), "parent": b"\0" * 32, "amount": 0, "number": 0}]
        self.replaced = []
        self.plan = iter(plan)

    def change(self, depth: int, grow: int) -> None:
        missing = min(depth, len(self.blocks) - 1)
        self.replaced += self.blocks[len(self.blocks) - missing :]
        del self.blocks[len(self.blocks) - missing :]
        for _ in range(missing + grow):
            amount = next(self.amounts)
            block_hash = keccak(amount.to_bytes(32, "big"))
            parent, number = self.blocks[-1]["hash"], len(self.blocks)
            self.blocks.append({"hash": block_hash, "parent": parent, "amount": amount, "number": number})

    async def batch(self, requests):
        return [await self.call(method, *parameters) for method, parameters in requests]

    async def call(self, method, *parameters):
        match next(self.plan, None):
            case (depth, grow):
                self.change(depth, grow)
            case "down":
                raise ChainUnavailable("no answer")
        return getattr(self, method)(*parameters)

    def on_block(self, wake) -> None:
        pass

    def eth_chainId(self):  # noqa: N802
        return "0x1"

    def eth_getCode(self, address, block):  # noqa: N802
        return "0x00"

    def eth_blockNumber(self):  # noqa: N802
        return hex(len(self.blocks) - 1)

    def eth_getBlockByNumber(self, which, full):  # noqa: N802
        number = int(which, 16)
        return self.header(self.blocks[number]) if number < len(self.blocks) else None

    def eth_getBlockByHash(self, which, full):  # noqa: N802
        known = self.blocks if self.forgets else [*self.blocks, *self.replaced]
        return next((self.header(block) for block in known if "0x" + block["hash"].hex() == which), None)

    def header(self, block):
        return {
            "number": hex(block["number"]),
            "hash": "0x" + block["hash"].hex(),
            "parentHash": "0x" + block["parent"].hex(),
            "timestamp": "0x1",
            "logsBloom": "0x" + "00" * 255 + "01",
        }

    def eth_getLogs(self, query):  # noqa: N802
        known = self.blocks if self.forgets else [*self.blocks, *self.replaced]
        for block in known:
            if "0x" + block["hash"].hex() == query["blockHash"]:
                return [self.log(block)] if block["amount"] % 3 else []
        raise RpcError("eth_getLogs", -32000, "unknown block")

    def log(self, block):
        return {
            "address": self.MARKET.contract,
            "topics": [event_topic("Withdrawn"), *("0x" + self.ACCOUNT.hex(),) * 3],
            "data": f"0x{block['amount']:064x}",
            "blockNumber": hex(block["number"]),
            "blockHash": "0x" + block["hash"].hex(),
            "blockTimestamp": "0x1",
            "transactionHash": "0x" + "0" * 64,
            "logIndex": "0x0",
        }

    def amounts_between(self, first, below):
        return [block["amount"] for block in self.blocks[first:below] if block["amount"] % 3]
