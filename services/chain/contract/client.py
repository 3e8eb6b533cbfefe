"""The contract as a role's daemon uses it: typed calls that may be repeated, views, events."""

import asyncio
import time
from collections.abc import Callable
from functools import partial

from protocol.accusations import AccuseOfFalseOpening
from protocol.marketplace import Claim, ContractCall, Open, RecordRound, Register, Reveal
from protocol.records import Market
from protocol.terms import NATIVE, Token
from services.chain.contract.abi import refusal_of
from services.chain.contract.codec import encode_call, encode_steps, taken_by
from services.chain.contract.idempotency import already_done
from services.chain.contract.openings import gas_of_step, steps_in_a_call
from services.chain.contract.signatures import worth_sending
from services.chain.contract.tokens import allowance, approval
from services.chain.contract.views import MarketplaceViews
from services.chain.errors import (
    BondBelowCost,
    CallReverted,
    ChainError,
    ChainUnavailable,
    InsufficientFunds,
    RpcError,
    WrongChain,
)
from services.chain.rpc.http import Rpc
from services.chain.rpc.values import entry, quantity
from services.chain.transactions.pending import Receipt, SendPolicy
from services.chain.transactions.sender import GAS_MARGIN_PERCENT, Sender, TransactionReplaced

_MOST_ATTEMPTS = 8
_CLAIM_MARGIN_PERCENT = 100
"""More gas is taken where the owner has withdrawn since the estimate, or where all others have claimed."""

_BY_TIME = ("too_early", "too_late")
"""Refusals that the next block's time may be the reason for, which no state has yet."""

_BLOCK_TIME_LAG = 60.0
"""Seconds that the newest block's time may lie behind the clock on a chain that runs."""

OnOutcome = Callable[[str, str, int], None]
"""Call, outcome and gas: "succeeded" and "failed" were mined, "refused" was never sent."""

_IN_EFFECT = Receipt(transaction_hash=b"", block_number=0, gas_used=0, fee=0, succeeded=True)


class MarketplaceClient(MarketplaceViews):
    """Views, events and calls of one market; calls need a key and must come from one client per key."""

    def __init__(
        self,
        rpc: Rpc,
        market: Market,
        signing_key: bytes | None = None,
        *,
        policy: SendPolicy | None = None,
        first_block: int = 0,
    ) -> None:
        super().__init__(rpc, market, first_block=first_block)
        self._policy = policy or SendPolicy()
        self._sender = Sender(rpc, signing_key, market.chain_id, self._policy) if signing_key else None
        depth = self._policy.confirmations
        self._allowing = asyncio.Lock()
        self.final = MarketplaceViews(rpc, market, depth=depth, first_block=first_block)
        """The same views, of what is confirmed."""
        self.on_outcome: OnOutcome = lambda _call, _outcome, _gas: None
        self.known_block: Callable[[], int] = lambda: -1
        """The newest block that the node is known to have had, -1 where none is: no older one may refuse."""
        self.worth_of: Callable[[Token, int], int] = lambda _token, _amount: 0
        """How many wei so many smallest units of a token are worth to us: the contract knows no prices."""

    @property
    def address(self) -> str:
        """The account that calls come from."""
        return self._require_sender().address

    async def submit(self, call: ContractCall) -> Receipt:
        """Make the call take effect and wait until that is final; what is in effect already counts as well.

        Raises CallReverted when the contract refuses, InsufficientFunds, and ChainUnavailable when nothing is
        known: then submit the same call again later.
        """
        if isinstance(call, Register | Open) and await self._stays_done(call):
            return _IN_EFFECT  # the contract would take these twice
        if isinstance(call, Reveal):
            await self._reach_draw_block(call.training)
        deadline = time.time() + _BLOCK_TIME_LAG
        for attempt in range(_MOST_ATTEMPTS):
            try:
                return await self._attempt(call)
            except TransactionReplaced:
                if await self._stays_done(call):
                    return _IN_EFFECT
            except CallReverted as refusal:
                if await self._is_done(call):
                    if await self._stays_done(call):
                        return _IN_EFFECT
                    continue  # a reorganisation took it back, and with it the reason to refuse
                # A node that lost its pool knows nothing of the calls on which this one builds.
                waited = attempt == 0 and await self._require_sender().others_final()
                if not waited and not await self._may_pass(call, refusal, deadline):
                    raise
                # Once more after a new block: what that refuses is refused.
                deadline = deadline if waited else min(deadline, time.time())
        raise ChainUnavailable(
            f"{call.call} was displaced {_MOST_ATTEMPTS} times: submit it again, and let only one "
            "program use the key"
        )

    # ---- refusals ----

    async def _is_done(self, call: ContractCall) -> bool:
        return await already_done(self, self.address, call)

    async def _stays_done(self, call: ContractCall) -> bool:
        """Wait until what is in effect at the newest block is final; False where it is not, or is undone."""
        while await self._is_done(call):
            if not self._policy.confirmations or await already_done(self.final, self.address, call):
                return True
            await asyncio.sleep(self._policy.poll_seconds)
        return False

    async def _attempt(self, call: ContractCall) -> Receipt:
        """`_send`, with what a token wants before; an opening is checked a few steps at a time."""
        token, amount = taken_by(call)
        if token != NATIVE and amount:
            return await self._send_in_token(call, token, amount)
        if isinstance(call, AccuseOfFalseOpening):
            return await self._check_opening(call)
        return await self._send(call)

    async def _send(self, call: ContractCall, given: bytes | None = None) -> Receipt:
        """Send the call once; a transaction that failed on chain raises as the estimate would have.

        `given` are its data where they do not follow from the call alone.
        """
        sender = self._require_sender()
        data, value = (given, 0) if given is not None else await self._encoded(call)
        # A second opening would cost a second deposit.
        done = partial(self._is_done, call) if isinstance(call, Open) else None
        margin = _CLAIM_MARGIN_PERCENT if isinstance(call, Claim) else GAS_MARGIN_PERCENT
        try:
            receipt = await sender.send(
                self.market.contract, data, value, done=done, gas_margin_percent=margin
            )
        except RpcError as error:
            if refusal := refusal_of(error):
                if refusal.code not in _BY_TIME:
                    await self._require_newest(call, sender.request(self.market.contract, data, value))
                self.on_outcome(call.call, "refused", 0)
                raise refusal from None
            raise ChainUnavailable(f"the node refused a transaction: {error}") from error
        self.on_outcome(call.call, "succeeded" if receipt.succeeded else "failed", receipt.gas_used)
        if not receipt.succeeded:
            raise await self._reason(sender.request(self.market.contract, data, value), receipt)
        return receipt

    async def _check_opening(self, call: AccuseOfFalseOpening) -> Receipt:
        """Have the contract take one step after another, from where it is; the last one takes the bond.

        Somebody else may take steps meanwhile: what comes second is refused, and begun again from there.
        """
        done = await self.steps_done(call.opening)
        await self._require_worth(call, call.opening.steps - done)
        while True:
            steps = min(steps_in_a_call(call.opening), call.opening.steps - done)
            try:
                receipt = await self._send(call, encode_steps(call, done, steps))
            except CallReverted as refusal:
                if refusal.code != "wrong_power":
                    raise
                before, done = done, await self.steps_done(call.opening)
                if done == before:
                    raise
                continue
            done += steps
            if done == call.opening.steps:
                return receipt

    async def _require_worth(self, call: AccuseOfFalseOpening, steps: int) -> None:
        """Raise BondBelowCost where so many steps cost more gas than the bond that they take is worth.

        Else a buyer with a bond of one wei, or in a token of its own, had others pay for the check.
        """
        _, _, terms = await self.opening_of(call.training)
        bond = await self.bond_of(call.training, call.account)
        if terms is None or not bond:
            return
        worth = bond if terms.token == NATIVE else self.worth_of(terms.token, bond)
        cost = steps * gas_of_step(call.opening) * await self._require_sender().gas_price()
        if worth < cost:
            raise BondBelowCost(worth, cost)

    async def _send_in_token(self, call: ContractCall, token: Token, amount: int) -> Receipt:
        """Allow the contract exactly the deposit or bond, where it may take less, and make the call.

        One after the other: of two calls the second would allow itself what is allowed to the first.
        """
        contract = self.market.contract
        async with self._allowing:
            try:
                held = await self.balance_of(self.address, token)
            except WrongChain:
                return await self._send(call)  # no token is there, as the contract will say
            if held < amount:
                raise InsufficientFunds(
                    f"account {self.address} has {held} smallest units of token {token}, and {call.call} "
                    f"takes {amount}: send it {amount - held} more"
                )
            allowed = await allowance(self.rpc, token, self.address, contract)
            if allowed < amount:
                # Some tokens take another allowance only where there is none.
                for one in (0, amount) if allowed else (amount,):
                    await self._approve(token, approval(contract, one))
            return await self._send(call)

    async def _approve(self, token: str, data: bytes) -> None:
        try:
            receipt = await self._require_sender().send(token, data)
        except RpcError as error:
            if refusal_of(error):
                raise CallReverted("transfer_failed", (token,)) from None
            raise ChainUnavailable(f"the node refused a transaction: {error}") from error
        self.on_outcome("approve", "succeeded" if receipt.succeeded else "failed", receipt.gas_used)
        if not receipt.succeeded:
            raise CallReverted("transfer_failed", (token,))

    async def _encoded(self, call: ContractCall) -> tuple[bytes, int]:
        """Call data and wei; of a record without the signatures that are not worth sending."""
        if isinstance(call, RecordRound):
            try:
                call = await worth_sending(self, call)
            except RpcError as error:
                raise ChainUnavailable(f"the node did not check a record's signatures: {error}") from error
        return encode_call(call)

    async def _may_pass(self, call: ContractCall, refusal: CallReverted, deadline: float) -> bool:
        """Whether to try again: the newest block has not reached a time, or a block, that is past."""
        if refusal.names_no_training() and time.time() - await self._block_time() > _BLOCK_TIME_LAG:
            raise ChainUnavailable(
                f"the node is behind, its newest block over {_BLOCK_TIME_LAG:.0f} seconds old, and it says: "
                f"{refusal}"
            )
        if isinstance(call, Reveal) and refusal.code == "too_early":
            await self._next_block()
            return True
        if refusal.code != "too_early" or not refusal.arguments[1] <= time.time() < deadline:
            return False
        while await self._block_time() < refusal.arguments[1] and time.time() < deadline:
            await self._next_block()
        return True

    async def _require_newest(self, call: ContractCall, request: dict[str, str]) -> None:
        """Return where the newest state refuses a call too: of several nodes at one address one may lag.

        Raises ChainUnavailable where that state does not refuse, or is not there.
        """
        known = self.known_block()
        if known < 0:
            return
        newest = max(known, await self.block_number())
        try:
            await self.rpc.call("eth_call", request, hex(newest))
        except RpcError as error:
            if refusal_of(error) is None:
                raise ChainUnavailable(
                    f"{call.call} was refused, perhaps in an old state: the node does not answer for block "
                    f"{newest}, which it is known to have had ({error})"
                ) from None
        else:
            raise ChainUnavailable(
                f"{call.call} was refused in an old state, and is not at block {newest}: the node lags behind"
                " another at its address"
            )

    async def _block_time(self) -> int:
        block = entry(await self.rpc.call("eth_getBlockByNumber", "latest", False))
        return quantity(block.get("timestamp"), 63)

    async def _reason(self, request: dict[str, str], receipt: Receipt) -> Exception:
        """Why a mined transaction failed: the same call again, in the state that it left.

        Where that passes the contract has refused nothing: what was mined before it made it need more gas.
        """
        shown = "0x" + receipt.transaction_hash.hex()
        try:
            await self.rpc.call("eth_call", request, hex(receipt.block_number))
        except RpcError as error:
            return refusal_of(error) or ChainUnavailable(
                f"transaction {shown} failed on chain and the node does not say why ({error}): "
                "it will be sent again"
            )
        return ChainUnavailable(
            f"transaction {shown} ran out of its {receipt.gas_used} gas: it will be sent again"
        )

    # ---- the draw ----

    async def _reach_draw_block(self, training: int) -> None:
        """The block whose hash draws must be final before a nonce is told.

        Who could still replace it would choose the draw. A chain that mines on demand is asked for blocks.
        """
        draw_block = (await self.progress(training)).draw_block
        while await self.block_number() < draw_block + self._policy.confirmations:
            await self._next_block()

    async def _next_block(self) -> None:
        """Mine an empty block where the chain lets us, else wait for the next."""
        try:
            mines_on_demand = await self.rpc.call("anvil_getAutomine") is True
        except RpcError:
            mines_on_demand = False  # not a development node
        if mines_on_demand:
            await self.rpc.call("evm_mine")
        else:
            await asyncio.sleep(self._policy.poll_seconds)

    def _require_sender(self) -> Sender:
        if self._sender is None:
            raise ChainError("this client has no key: it can read, not call")
        return self._sender
