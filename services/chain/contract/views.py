"""The contract's views, typed."""

from dataclasses import dataclass
from typing import Any

from protocol.marketplace import ROLE_NUMBERS, STATUS_NAMES, Terms
from protocol.records import Market, RoundRecord
from services.chain.contract.abi import decode_revert, marketplace_interface
from services.chain.contract.codec import record_to_words, terms_from_words
from services.chain.errors import CallReverted, ChainUnavailable, RpcError, WrongChain
from services.chain.rpc.http import Rpc, is_revert
from services.chain.rpc.values import octets, quantity

_ROLE_NAMES = {number: name for name, number in ROLE_NUMBERS.items()}


@dataclass(frozen=True, slots=True)
class OpenedTerms:
    """Who opened a training, the deposit in wei, and its terms."""

    buyer: str
    deposit: int
    terms: Terms


@dataclass(frozen=True, slots=True)
class Owners:
    """A training's owners by seat, and the masks of the drawn roles (0 before the draw)."""

    seats: tuple[str, ...]
    trainers: int
    validators: int


@dataclass(frozen=True, slots=True)
class Progress:
    """Deadlines in Unix seconds, the block that draws the roles, rounds recorded, metrics × 1e18."""

    join_until: int
    draw_block: int
    round_until: int
    recorded: int
    first_mse: int
    last_mse: int


@dataclass(frozen=True, slots=True)
class Standing:
    """An owner's Shapley values and pay weights, summed over the recorded rounds, × 1e18."""

    shapley: int
    pay_weight: int


class MarketplaceViews:
    """Reads the contract's state at the newest block, or always so many blocks below it."""

    def __init__(self, rpc: Rpc, market: Market, *, depth: int = 0) -> None:
        """`market` says which contract on which chain.

        What is read `depth` blocks deep survives a reorganisation of that many blocks; a node that is no
        archive has the state of the newest 128 alone.
        """
        self.rpc = rpc
        self.market = market
        self.depth = depth

    async def check_deployment(self) -> None:
        """Raise WrongChain unless the node serves the market's chain and the contract is there."""
        chain_id, code = await self.rpc.batch(
            [("eth_chainId", []), ("eth_getCode", [self.market.contract, "latest"])]
        )
        if quantity(chain_id) != self.market.chain_id:
            raise WrongChain(
                f"the node serves chain {quantity(chain_id)}, the market is on chain {self.market.chain_id}: "
                "check the node's URL and the market's chain id"
            )
        if code in ("0x", None):
            raise WrongChain(
                f"no contract at {self.market.contract} on chain {self.market.chain_id}: check the address, "
                "or deploy the contract"
            )

    async def status(self, training: int) -> str:
        """One of protocol.marketplace.STATUS_NAMES; "none" for a training that does not exist."""
        (status,) = await self._view("statusOf", training)
        return STATUS_NAMES[status]

    async def terms(self, training: int) -> OpenedTerms:
        """What was opened. Raises CallReverted("wrong_status") where nothing was."""
        buyer, deposit, words = await self._view("termsOf", training)
        if buyer == "0x" + "0" * 40:
            raise CallReverted("wrong_status", (training, 0))
        return OpenedTerms(buyer, deposit, terms_from_words(words))

    async def owners(self, training: int) -> Owners:
        """Seats and drawn roles."""
        seats, trainers, validators = await self._view("ownersOf", training)
        return Owners(tuple(seats), trainers, validators)

    async def progress(self, training: int) -> Progress:
        """Deadlines and what is recorded."""
        return Progress(*await self._view("progressOf", training))

    async def contribution_of(self, training: int, owner: str) -> Standing:
        """An owner's sums. Raises CallReverted("not_party") for who has no seat."""
        return Standing(*await self._view("contributionOf", training, owner))

    async def exchange_key_of(self, training: int, account: str) -> bytes | None:
        """The X25519 key as it was when the account opened or joined (training 0: the latest), if any."""
        (key,) = await self._view("exchangeKeyOf", training, account)
        return bytes(key) if any(key) else None

    async def role_of(self, account: str) -> str | None:
        """The registered role, None without."""
        (role,) = await self._view("roleOf", account)
        return _ROLE_NAMES[role] if role else None

    async def credit_of(self, account: str) -> int:
        """Wei that the account may withdraw."""
        (credit,) = await self._view("creditOf", account)
        return int(credit)

    async def total_escrow(self) -> int:
        """Wei held for trainings that have not ended."""
        (escrow,) = await self._view("totalEscrow")
        return int(escrow)

    async def hash_record(self, record: RoundRecord) -> bytes:
        """The contract's own EIP-712 digest of a record."""
        (digest,) = await self._view("hashRecord", record_to_words(record))
        return bytes(digest)

    async def balance_of(self, account: str) -> int:
        """Wei of the account itself, outside the contract."""
        return quantity(await self.rpc.call("eth_getBalance", account, "latest"))

    async def block_number(self) -> int:
        """The newest block."""
        return quantity(await self.rpc.call("eth_blockNumber"))

    async def _view(self, name: str, *arguments: Any) -> tuple[Any, ...]:
        layout = marketplace_interface().functions[name]
        request = {"to": self.market.contract, "data": "0x" + layout.encode(*arguments).hex()}
        block = hex(max(0, await self.block_number() - self.depth)) if self.depth else "latest"
        try:
            output = octets(await self.rpc.call("eth_call", request, block))
        except RpcError as error:
            if is_revert(error):
                raise CallReverted(*decode_revert(error.data)) from None
            raise
        if not output and self.depth:
            raise ChainUnavailable(
                f"no contract answers at {self.market.contract}, {self.depth} blocks below the newest: wait "
                "for more blocks, or check the address"
            )
        if not output:
            raise WrongChain(f"no contract answers at {self.market.contract}: check the address")
        return layout.decode_outputs(output)
