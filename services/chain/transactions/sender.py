"""Transactions of one key: gas, nonce, fees, and the wait until each is in the chain to stay.

Nonces are counted here, under a lock, because a node's pending count loses one of two concurrent sends. The
count starts from the mined transactions, not from the pending ones: what an earlier run left behind is
outbid, not waited for.

A transaction that must not happen twice goes out alone: its nonce is the first one that is not final. Every
earlier attempt, also one whose answer was lost in a crash, then has either a nonce that is final by now, and
its effect can be seen, or the nonce of the next attempt, and at most one of the two can ever be mined.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace
from typing import Any

import structlog

from protocol.signatures import address_of
from services.chain.errors import ChainUnavailable, InsufficientFunds, RpcError
from services.chain.rpc.http import Request, Rpc
from services.chain.rpc.values import entry, quantity
from services.chain.transactions.newest_block import NewestBlock
from services.chain.transactions.pending import Fees, PendingTransaction, Receipt, SendPolicy, Transaction
from services.common.outages import Outage

_log = structlog.get_logger(__name__)

_MOST_BUMPS_AT_ONCE = 40

_TRANSFER_GAS = 21_000
_USUAL_TIP = 10**9
"""Wei, about what nodes suggest."""

GAS_MARGIN_PERCENT = 50

Done = Callable[[], Awaitable[bool]]
"""Whether the newest block already has what a transaction is for."""


class TransactionReplaced(Exception):  # noqa: N818
    """Another transaction of the key was mined in this one's place: look at its effect, then send anew."""


class Sender:
    """Sends from one key, safely from many tasks at once. One per key and chain."""

    def __init__(self, rpc: Rpc, signing_key: bytes, chain_id: int, policy: SendPolicy | None = None) -> None:
        """`signing_key` is a 32-byte private key; it never leaves this object."""
        self.address = address_of(signing_key)
        self._rpc = rpc
        self._signing_key = signing_key
        self._chain_id = chain_id
        self._policy = policy or SendPolicy()
        self._lock = asyncio.Lock()
        self._in_flight: dict[int, PendingTransaction] = {}
        self._newest = NewestBlock(rpc, self._policy.poll_seconds)
        self._failures = Outage(_log, "chain_wait_failed", "chain_wait_goes_on")

    async def send(
        self,
        recipient: str | None,
        data: bytes,
        value: int = 0,
        *,
        done: Done | None = None,
        gas_margin_percent: int = GAS_MARGIN_PERCENT,
    ) -> Receipt:
        """Send and wait until final; `recipient` None creates a contract.

        With `done`, the transaction must not happen twice: it waits until every earlier one of this key is
        final, and is not sent where `done` then says yes.

        Raises RpcError when the node refuses (a revert is found out by the estimate, before anything is
        sent), InsufficientFunds, ChainUnavailable when the node cannot be reached before anything was sent,
        and TransactionReplaced.
        """
        while (pending := await self._launch(recipient, data, value, done, gas_margin_percent)) is None:
            await self._newest.pause()
        try:
            return await self._wait(pending)
        finally:
            self._in_flight.pop(pending.nonce, None)
            self._failures.works(pending.nonce)

    async def others_final(self) -> bool:
        """Wait until the transactions that are under way now are final; False where there are none."""
        others = list(self._in_flight.values())
        while any(self._in_flight.get(other.nonce) is other for other in others):
            await self._newest.pause()
        return bool(others)

    async def gas_price(self) -> int:
        """Wei for a unit of gas in the newest block, with the usual tip."""
        base = entry(await self._rpc.call("eth_getBlockByNumber", "latest", False)).get("baseFeePerGas")
        fees = await self._fees(base)
        return fees.most if fees.tip is None else min(fees.most, quantity(base) + fees.tip)

    def request(self, recipient: str | None, data: bytes, value: int) -> dict[str, str]:
        """The transaction as eth_call and eth_estimateGas take it."""
        request = {"from": self.address, "data": "0x" + data.hex(), "value": hex(value)}
        return request if recipient is None else request | {"to": recipient}

    async def _launch(
        self, recipient: str | None, data: bytes, value: int, done: Done | None, margin: int
    ) -> PendingTransaction | None:
        """Broadcast under the next nonce; None where it must go out alone and is not alone yet."""
        async with self._lock:
            nonce = await self._next_nonce()
            if done is not None:
                if await self._final_nonce() < nonce:
                    return None
                if await done():
                    raise TransactionReplaced
            gas, fees = await self._estimate(self.request(recipient, data, value), margin)
            transaction = Transaction(self._chain_id, nonce, recipient, value, data, gas, fees)
            self._in_flight[nonce] = pending = PendingTransaction(transaction)
            try:
                await self._broadcast(pending)
            except BaseException:
                del self._in_flight[nonce]
                raise
            return pending

    async def _estimate(self, request: dict[str, str], margin: int) -> tuple[int, Fees]:
        """Gas with a margin, and fees: twice the present base fee covers six full blocks in a row."""
        try:
            estimate, answer = await self._rpc.batch(
                [("eth_estimateGas", [request, "pending"]), ("eth_getBlockByNumber", ["latest", False])]
            )
        except RpcError as error:
            raise self._explained(error) from None
        block = entry(answer)
        gas = quantity(estimate, 63) * (100 + margin) // 100
        return min(gas, quantity(block.get("gasLimit"), 63)), await self._fees(block.get("baseFeePerGas"))

    async def _fees(self, base: Any) -> Fees:
        """By the newest block's base fee; a chain that has none, from before EIP-1559, has a gas price."""
        cap = self._policy.most_fee_per_gas
        if base is None:
            return Fees(min(quantity(await self._rpc.call("eth_gasPrice")), cap), None)
        try:
            tip = quantity(await self._rpc.call("eth_maxPriorityFeePerGas"))
        except RpcError:
            tip = _USUAL_TIP  # not every node suggests one
        most = min(2 * quantity(base) + tip, cap)
        return Fees(most, min(tip, most))

    async def _next_nonce(self) -> int:
        mined = quantity(await self._rpc.call("eth_getTransactionCount", self.address, "latest"))
        return max([mined, *(nonce + 1 for nonce in self._in_flight)])

    async def _final_nonce(self) -> int:
        """How many of the key's transactions are in the chain to stay."""
        head = quantity(await self._rpc.call("eth_blockNumber"))
        block = hex(max(0, head - self._policy.confirmations))
        return quantity(await self._rpc.call("eth_getTransactionCount", self.address, block))

    # ---- broadcasting ----

    async def _broadcast(self, pending: PendingTransaction) -> None:
        """Hand the transaction to the node for the first time; on return it is in its pool or mined."""
        for _ in range(_MOST_BUMPS_AT_ONCE):
            try:
                await self._submit(pending)
            except RpcError as error:
                text = error.message.lower()
                if "nonce too low" in text:
                    raise TransactionReplaced from None
                if "underpriced" not in text or not self._raise_fees(pending):
                    raise self._explained(error) from None
                # The pool still holds what we sent with this nonce before a restart: outbid it.
            else:
                return
        raise ChainUnavailable(
            f"the node refused {_MOST_BUMPS_AT_ONCE} rising fees for nonce {pending.nonce} as too low, the "
            f"last {pending.transaction.fees.most} wei per gas: wait until the transaction in its pool is "
            "mined, or raise the highest fee that may be paid"
        )

    async def _submit(self, pending: PendingTransaction) -> None:
        """Sign, remember, send; a node that knows the transaction already has done what we want."""
        signed = pending.transaction.sign(self._signing_key)
        if signed.hash.to_0x_hex() not in pending.hashes:
            pending.hashes.append(signed.hash.to_0x_hex())
        try:
            await self._rpc.call("eth_sendRawTransaction", signed.raw_transaction.to_0x_hex())
        except RpcError as error:
            if "already" not in error.message.lower():  # "already known", "already imported"
                raise

    def _raise_fees(self, pending: PendingTransaction) -> bool:
        """An eighth more; False at the cap."""
        fees = pending.transaction.fees.raised()
        if fees.most > self._policy.most_fee_per_gas:
            return False
        pending.transaction = replace(pending.transaction, fees=fees)
        return True

    def _explained(self, error: RpcError) -> Exception:
        if "insufficient" in error.message.lower() and not error.data:
            return InsufficientFunds(
                f"account {self.address} cannot pay for this transaction ({error.message}): send it ether"
            )
        return error

    # ---- waiting ----

    async def _wait(self, pending: PendingTransaction) -> Receipt:
        """Until one of the nonce's transactions is final."""
        pending.tried_at = pending.known_at = pending.next_at = asyncio.get_running_loop().time()
        while True:
            announced, seen = self._newest.announced, self._newest.number
            try:
                receipt, final = await self._look(pending)
                if receipt is not None and final:
                    return receipt
                if receipt is None:
                    await self._help(pending)
            except (ChainUnavailable, RpcError) as error:
                self._failures.failed(error, part=pending.nonce)
            else:
                self._failures.works(pending.nonce)
            # Also without a new block the pool may have lost something.
            await self._newest.wait_for_next(seen, announced, self._policy.lost_seconds)

    async def _help(self, pending: PendingTransaction) -> None:
        """One that is not mined: resend what was lost, outbid what is stuck, fill the nonces before it."""
        mined, known = await self._rpc.batch(
            [
                ("eth_getTransactionCount", [self.address, "latest"]),
                ("eth_getTransactionByHash", [pending.hashes[-1]]),
            ]
        )
        next_nonce, now = quantity(mined), asyncio.get_running_loop().time()
        if next_nonce > pending.nonce:
            if pending.overtaken:
                raise TransactionReplaced
            # Perhaps mined between the two looks, or its receipt is not indexed yet: look once more.
            pending.overtaken = True
            return
        pending.overtaken = False
        # One without receipt that the node places in a block was in a block that is no more.
        if known is not None and entry(known).get("blockNumber") is None:
            pending.known_at = now
        if next_nonce == pending.nonce or min(self._in_flight) < pending.nonce:
            pending.next_at = now
        await self._send_again(pending, next_nonce, now)

    async def _send_again(self, pending: PendingTransaction, next_nonce: int, now: float) -> None:
        """What has been missing for too long: the nonces before it, a better fee, the transaction itself."""
        if now - pending.next_at >= self._policy.lost_seconds:
            pending.next_at = now
            await self._fill(range(next_nonce, pending.nonce), pending.transaction.fees)
        if now - pending.tried_at >= self._policy.bump_seconds:
            pending.tried_at = pending.known_at = now
            # The pool lost it, or its fee is too low: a higher fee cures both.
            if not self._raise_fees(pending):
                _log.warning("fee_cap_reached", nonce=pending.nonce, fee=pending.transaction.fees.most)
            await self._submit(pending)
        elif now - pending.known_at >= self._policy.lost_seconds:
            pending.known_at = now
            await self._submit(pending)

    async def _fill(self, nonces: Iterable[int], fees: Fees) -> None:
        """A reorganisation took back what was final: pay nothing to ourselves instead, for what follows.

        Their calls have ended long since. To send those again could do twice what must be done once.
        """
        for nonce in nonces:
            filler = Transaction(self._chain_id, nonce, self.address, 0, b"", _TRANSFER_GAS, fees)
            _log.warning("nonce_filled", nonce=nonce)
            await self._submit(PendingTransaction(filler))

    async def _look(self, pending: PendingTransaction) -> tuple[Receipt | None, bool]:
        """The receipt of whichever transaction of this nonce was mined, and whether it is deep enough."""
        requests: list[Request] = [("eth_getTransactionReceipt", [value]) for value in pending.hashes]
        # The head first: a block that was replaced after its receipt was read must not gain depth.
        head, *receipts = await self._rpc.batch([("eth_blockNumber", []), *requests])
        for receipt in receipts:
            if receipt is not None and entry(receipt).get("blockNumber") is not None:
                known = Receipt.of(receipt, pending.transaction.fees.most)
                return known, quantity(head, 63) - known.block_number >= self._policy.confirmations
        return None, False
