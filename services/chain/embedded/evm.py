"""The embedded chain's state machine: py-evm answers JSON-RPC requests one by one, in the caller's thread.

eth-tester, which web3.py offers as EthereumTesterProvider, runs on py-evm too, but does not do here. For the
29 transactions of a training of five owners and five rounds it took 5.3 to 5.8 s of a processor, where this
module takes 1.0 to 1.2 s (three runs of each, in turn): it tries a call again and again to find the least gas
that suffices. A whole demo takes 9 s. And its eth_getLogs knows no block hash, by which the listener reads,
and its chain id is fixed.
"""

import os
from collections.abc import Callable, Mapping
from typing import Any

from eth.abc import ComputationAPI
from eth.chains.base import MiningChain
from eth.constants import (
    BLANK_ROOT_HASH,
    POST_MERGE_DIFFICULTY,
    POST_MERGE_MIX_HASH,
    POST_MERGE_NONCE,
    ZERO_ADDRESS,
)
from eth.db.atomic import AtomicDB
from eth.exceptions import Revert
from eth.vm.forks.prague import PragueVM
from eth.vm.spoof import SpoofTransaction
from eth_typing import Address
from eth_utils.address import to_canonical_address
from eth_utils.exceptions import ValidationError
from eth_utils.hexadecimal import decode_hex, encode_hex

from services.chain.embedded.evm_json import block_json, logs_json, matches, receipt_json
from services.chain.errors import RpcError

_GAS_LIMIT = 30_000_000
_PROBE_FEE = 10**12
_INVALID_TRANSACTION = -32000


class Ledger:
    """A post-merge chain under Prague rules that mines each transaction into a block of its own."""

    def __init__(self, chain_id: int, clock: Callable[[], float], announce: Callable[[], object]) -> None:
        """`announce` is called after every block, in this thread."""
        self._clock = clock
        self._announce = announce
        self._chain = _new_chain(chain_id, int(clock()))
        self._blocks: list[dict[str, Any]] = [block_json(self._chain.get_canonical_head())]
        self._logs: list[dict[str, Any]] = []
        self._receipts: dict[str, dict[str, Any]] = {}
        self._transactions: dict[str, dict[str, Any]] = {}
        self._called_on: tuple[bytes, bytes, int] | None = None
        self._calls: dict[frozenset[Any], str] = {}
        self._handlers: dict[str, Callable[..., Any]] = {
            "anvil_getAutomine": lambda: True,
            "anvil_setBalance": self._set_balance,
            "eth_chainId": lambda: hex(chain_id),
            "eth_blockNumber": lambda: self._blocks[-1]["number"],
            "eth_getBlockByNumber": self._get_block,
            "eth_getBlockByHash": self._get_block_by_hash,
            "eth_getLogs": self._get_logs,
            "eth_call": self._call,
            "eth_estimateGas": self._estimate,
            "eth_sendRawTransaction": self._send,
            "eth_getTransactionReceipt": self._receipts.get,
            "eth_getTransactionByHash": self._transactions.get,
            "eth_getTransactionCount": lambda account, _: hex(self._state().get_nonce(decode_hex(account))),
            "eth_getBalance": lambda account, _: hex(self._state().get_balance(decode_hex(account))),
            "eth_getCode": lambda account, _: encode_hex(self._state().get_code(decode_hex(account))),
            "eth_maxPriorityFeePerGas": lambda: hex(10**9),
            "evm_mine": self._mine_empty,
        }

    def answer(self, method: str, parameters: list[Any]) -> Any:
        """The result of one request; raises RpcError as a node would refuse it."""
        handler = self._handlers.get(method)
        if handler is None:
            raise RpcError(method, -32601, "the embedded chain does not know this method")
        return handler(*parameters)

    # ---- reading ----

    def _state(self) -> Any:
        return self._chain.get_vm(self._chain.header).state

    def _get_block(self, which: str, _full: bool = False) -> dict[str, Any] | None:
        number = len(self._blocks) - 1 if which == "latest" else int(which, 16)
        return self._blocks[number] if 0 <= number < len(self._blocks) else None

    def _get_block_by_hash(self, block_hash: str, _full: bool = False) -> dict[str, Any] | None:
        return next((block for block in self._blocks if block["hash"] == block_hash), None)

    def _get_logs(self, query: Mapping[str, Any]) -> list[dict[str, Any]]:
        if "blockHash" in query and self._get_block_by_hash(query["blockHash"]) is None:
            raise RpcError("eth_getLogs", _INVALID_TRANSACTION, "unknown block")
        return [log for log in self._logs if matches(log, query)]

    # ---- executing ----

    def _call(self, request: Mapping[str, Any], _block: str = "latest") -> str:
        """Every party of a market asks the same after a block: one run answers all of them.

        A call's answer depends on the state, and on the parent and the time of the block that it runs in.
        """
        self._stamp()
        header, asked = self._chain.header, frozenset(request.items())
        place = (header.parent_hash, header.state_root, header.timestamp)
        if place != self._called_on:
            self._called_on, self._calls = place, {}
        if asked not in self._calls:
            self._calls[asked] = encode_hex(self._probe("eth_call", request).output)
        return self._calls[asked]

    def _estimate(self, request: Mapping[str, Any], _block: str = "latest") -> str:
        """Gas before refunds of one run, with the 1/64 that each inner call must leave unused."""
        computation = self._probe("eth_estimateGas", request)
        used = _GAS_LIMIT - computation.get_gas_remaining()
        return hex(min(_GAS_LIMIT, used * 64 // 63 + 1_000))

    def _probe(self, method: str, request: Mapping[str, Any]) -> ComputationAPI:
        """Run a transaction on the next block's header and forget what it did."""
        self._stamp()
        vm = self._chain.get_vm(self._chain.header)
        sender = to_canonical_address(request["from"]) if "from" in request else ZERO_ADDRESS
        unsigned = vm.create_unsigned_transaction(
            nonce=vm.state.get_nonce(sender),
            gas_price=_PROBE_FEE,
            gas=_GAS_LIMIT,
            to=to_canonical_address(request["to"]) if "to" in request else Address(b""),
            value=int(request.get("value", "0x0"), 16),
            data=decode_hex(request.get("data", "0x")),
        )
        snapshot = vm.state.snapshot()
        # Whoever asks may have no ether: the probe's gas is on the house, its value is not.
        vm.state.set_balance(sender, vm.state.get_balance(sender) + _GAS_LIMIT * _PROBE_FEE)
        try:
            computation = vm.state.apply_transaction(SpoofTransaction(unsigned, from_=sender))  # type: ignore[arg-type]
        except ValidationError as error:
            raise RpcError(method, _INVALID_TRANSACTION, _as_node_says(error)) from None
        finally:
            vm.state.revert(snapshot)
        if computation.is_success:
            return computation
        if isinstance(computation.error, Revert):
            raise RpcError(method, 3, "execution reverted", bytes(computation.output))
        reason = type(computation.error).__name__
        raise RpcError(method, _INVALID_TRANSACTION, f"execution failed: {reason}")

    def _send(self, raw: str) -> str:
        self._stamp()
        vm = self._chain.get_vm(self._chain.header)
        try:
            transaction = vm.get_transaction_builder().decode(decode_hex(raw))
            _, receipt, computation = self._chain.apply_transaction(transaction)
        except ValidationError as error:
            raise RpcError("eth_sendRawTransaction", _INVALID_TRANSACTION, _as_node_says(error)) from None
        block = self._mine()
        transaction_hash = encode_hex(transaction.hash)
        self._receipts[transaction_hash] = receipt_json(block, transaction, computation)
        self._transactions[transaction_hash] = {
            "hash": transaction_hash,
            "blockNumber": block["number"],
            "input": encode_hex(transaction.data),
        }
        self._logs += logs_json(block, transaction_hash, receipt)
        return transaction_hash

    # ---- mining ----

    def _set_balance(self, address: str, wei: str) -> None:
        """Ether from nowhere, as a development node gives it: no block and no transaction tells of it."""
        state = self._state()
        state.set_balance(to_canonical_address(address), int(wei, 16))
        state.persist()
        self._chain.header = self._chain.header.copy(state_root=state.state_root)

    def _mine_empty(self) -> str:
        self._stamp()
        self._mine()
        return "0x0"

    def _stamp(self) -> None:
        """Blocks of one second still get later times than their parents, as consensus demands."""
        parent = int(self._blocks[-1]["timestamp"], 16)
        self._chain.set_header_timestamp(max(int(self._clock()), parent + 1))

    def _mine(self) -> dict[str, Any]:
        block = block_json(self._chain.mine_block(mix_hash=os.urandom(32)).header)
        self._blocks.append(block)
        self._announce()
        return block


def _new_chain(chain_id: int, now: int) -> MiningChain:
    class PrivateChain(MiningChain):
        vm_configuration = ((0, PragueVM),)  # type: ignore[assignment]

        def create_header_from_parent(self, parent_header: Any, **parameters: Any) -> Any:
            """Without this the gas limit would drift down to what small blocks use."""
            limit = parent_header.gas_limit
            return super().create_header_from_parent(parent_header, **parameters | {"gas_limit": limit})

    PrivateChain.chain_id = chain_id
    genesis = {
        "coinbase": ZERO_ADDRESS,
        "difficulty": POST_MERGE_DIFFICULTY,
        "extra_data": b"",
        "gas_limit": _GAS_LIMIT,
        "mix_hash": POST_MERGE_MIX_HASH,
        "nonce": POST_MERGE_NONCE,
        "receipt_root": BLANK_ROOT_HASH,
        "timestamp": now,
        "transaction_root": BLANK_ROOT_HASH,
    }
    chain: Any = PrivateChain.from_genesis(AtomicDB(), genesis)  # type: ignore[arg-type]
    return chain  # type: ignore[no-any-return]


def _as_node_says(error: Exception) -> str:
    text = str(error)
    if "cannot afford" in text or "enough balance" in text:
        return f"insufficient funds for gas * price + value: {text}"
    return f"nonce too low: {text}" if "nonce" in text.lower() else text
