"""A node that keeps its blocks through kill -9, as a real one does: anvil, with its state written down first.

anvil has no database. So its state is dumped, and the process is killed then and started on the dump: blocks,
receipts and logs are the same afterwards, and its pool of pending transactions is lost.

Each block is asked for, and none while blocks are replaced: what anvil mines by itself in the middle of that
leaves it with a state that is not the one after its blocks.
"""

import asyncio
import gzip
import json
import socket
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import Any

from services.chain.errors import ChainUnavailable, RpcError
from services.chain.rpc.http import HttpRpc
from services.daemon.shutdown import cancelled
from tests.support.chain.anvil import anvil_binary

BLOCK_SECONDS = 0.2
_CLOSE_SECONDS = 5.0


class Node:
    """anvil on a port that stays the same."""

    def __init__(self, folder: Path) -> None:
        self._state = folder / "node-state.json"
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self.url = f"http://127.0.0.1:{self.port}"
        self.process: subprocess.Popen[bytes] | None = None
        self.rpc = HttpRpc(self.url, seconds=60)
        self._miner: asyncio.Task[None] | None = None
        self.still = asyncio.Lock()
        """Held by whoever wants no block to be mined meanwhile."""

    async def start(self) -> None:
        options = ["--port", str(self.port), "--host", "127.0.0.1", "--chain-id", "31337", "--silent"]
        options += ["--no-mining"]
        if self._state.exists():
            options += ["--load-state", str(self._state)]
        self.process = _started(options)
        async with asyncio.timeout(300):
            while True:
                try:
                    await self.rpc.call("eth_chainId")
                except (ChainUnavailable, RpcError):
                    await asyncio.sleep(0.05)
                else:
                    break
        if self._miner is None:
            self._miner = asyncio.create_task(self._mine())

    async def kill(self) -> int:
        """kill -9, blocks kept, pool lost; the killed pid."""
        assert self.process is not None
        async with self.still:
            genesis = await self.rpc.call("eth_getBlockByNumber", "0x0", False)
            dump = await self.rpc.call("anvil_dumpState", False)
            self.end()
        state = json.loads(gzip.decompress(bytes.fromhex(dump[2:])))
        self._state.write_text(json.dumps(_with_one_genesis(state, int(genesis["timestamp"], 16))))
        return self.process.pid

    async def _mine(self) -> None:
        while True:
            with suppress(ChainUnavailable, RpcError):  # it was killed
                async with self.still:
                    await self.rpc.call("evm_mine")
            await asyncio.sleep(BLOCK_SECONDS)

    def end(self) -> None:
        """End the process, whatever becomes of the rest."""
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait(300)

    async def close(self) -> None:
        self.end()
        if self._miner is not None:
            await cancelled(self._miner, _CLOSE_SECONDS)
        await self.rpc.close()


def _started(options: list[str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen([str(anvil_binary()), *options], stdout=subprocess.DEVNULL)


def _with_one_genesis(state: dict[str, Any], timestamp: int) -> dict[str, Any]:
    """Every start of anvil adds a genesis block to those that it loads; which of them counts is chance."""
    blocks = [
        block
        for block in state["blocks"]
        if int(block["header"]["number"], 16) or int(block["header"]["timestamp"], 16) == timestamp
    ]
    return state | {"blocks": blocks}
