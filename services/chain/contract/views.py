"""The contract's views, typed. What no contract of ours answers raises WrongChain."""

from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from protocol.accusations import SignedOpening
from protocol.marketplace import STATUS_NAMES, RecordRound
from protocol.records import Market
from protocol.terms import NATIVE, Terms, Token
from services.chain.contract.abi import (
    decode_function_result,
    encode_function_call,
    event_topic,
    refusal_of,
)
from services.chain.contract.codec import ROLE_NAMES, address_bytes, from_web3, terms_of, to_words
from services.chain.contract.logs import LogReader
from services.chain.contract.tokens import balance_of
from services.chain.errors import ChainUnavailable, RpcError, WrongChain
from services.chain.rpc.http import Rpc
from services.chain.rpc.values import octets, quantity


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
class RoleDraw:
    """Until when owners may reveal, in Unix seconds; the hash that draws with them; who has, as a mask."""

    reveal_until: int
    draw_hash: bytes
    revealed: int


@dataclass(frozen=True, slots=True)
class CheckedSignatures:
    """What the contract makes of a record's signatures: whose count, and each validator's cost in gas."""

    buyer_signed: bool
    signed: tuple[bool, ...]
    gas_used: tuple[int, ...]


class MarketplaceViews:
    """Reads the contract's state at the newest block, or always so many blocks below it."""

    def __init__(self, rpc: Rpc, market: Market, *, depth: int = 0, first_block: int = 0) -> None:
        """`market` says which contract on which chain; searches for events start at its `first_block`.

        What is read `depth` blocks deep survives a reorganisation of that many blocks; a node that is no
        archive has the state of the newest 128 alone.
        """
        self.rpc = rpc
        self.market = market
        self.depth = depth
        self.first_block = first_block
        self._logs = LogReader(rpc, market)

    async def check_deployment(self) -> bytes:
        """The code at the market's address.

        Raises WrongChain unless the node serves the market's chain and a contract is there, ChainUnavailable
        for a node that has not reached the contract's block.
        """
        chain_id, code, head = await self.rpc.batch(
            [
                ("eth_chainId", []),
                ("eth_getCode", [self.market.contract, "latest"]),
                ("eth_blockNumber", []),
            ]
        )
        if quantity(chain_id) != self.market.chain_id:
            raise WrongChain(
                f"the node serves chain {quantity(chain_id)}, the market is on chain {self.market.chain_id}: "
                "check the node's URL and the market's chain id"
            )
        if code is None or not octets(code):
            if quantity(head) < self.first_block:
                raise ChainUnavailable(
                    f"the node is at block {quantity(head)}, the contract at {self.first_block} "
                    "(chain.first_block): wait until the node has caught up, or correct the setting"
                )
            raise WrongChain(
                f"no contract at {self.market.contract} on chain {self.market.chain_id}: check the address, "
                "or deploy the contract"
            )
        return octets(code)

    async def version(self) -> str:
        """What the contract calls its version."""
        return str(await self._view("version"))

    async def supports_interface(self, interface_id: bytes) -> bool:
        """Whether the contract says that it has the functions of an interface (ERC-165)."""
        return bool(await self._view("supportsInterface", interface_id))

    async def status(self, training: int) -> str:
        """One of protocol.marketplace.STATUS_NAMES; "none" for a training that does not exist."""
        status = await self._view("statusOf", training)
        if status >= len(STATUS_NAMES):
            raise self._foreign("statusOf", status)
        return STATUS_NAMES[status]

    async def opening_of(self, training: int) -> tuple[str, int, Terms | None]:
        """Buyer, deposit and terms as it was opened; None for the terms of a training that does not exist."""
        buyer, deposit, words = await self._view("termsOf", training)
        if not int(buyer, 16):
            return buyer, deposit, None
        try:
            return buyer, deposit, terms_of(words)
        except ValidationError as error:
            wrong = error.errors(include_url=False, include_input=False)[0]
            raise self._foreign("termsOf", f"{wrong['loc'][0]}: {wrong['msg']}") from None
        except LookupError:
            raise self._foreign("termsOf", "an admission by nobody that there is") from None

    async def owners(self, training: int) -> Owners:
        """Seats and drawn roles."""
        return Owners(*await self._view("ownersOf", training))

    async def progress(self, training: int) -> Progress:
        """Deadlines and what is recorded."""
        return Progress(*await self._view("progressOf", training))

    async def draw_of(self, training: int) -> RoleDraw:
        """What the draw of the roles follows from; zeros before the joining is closed."""
        return RoleDraw(*await self._view("drawOf", training))

    async def joined_with(self, training: int, owner: str) -> tuple[bytes, bytes]:
        """(commitment, nonce) of an owner with a seat; before it is revealed the nonce's digest.

        Raises CallReverted for an account without a seat.
        """
        commitment, nonce = await self._view("joinedWith", training, address_bytes(owner))
        return commitment, nonce

    async def check_signatures(self, call: RecordRound) -> CheckedSignatures:
        """What recording this would find: the same code as the contract's own check."""
        words = to_words(call.record)
        return CheckedSignatures(
            *await self._view("checkSignatures", words, call.buyer_signature, call.validator_signatures)
        )

    async def exchange_key_of(self, training: int, account: str) -> bytes | None:
        """The X25519 key as it was when the account opened or joined (training 0: the latest), if any."""
        key: bytes = await self._view("exchangeKeyOf", training, address_bytes(account))
        return key if any(key) else None

    async def role_of(self, account: str) -> str | None:
        """The registered role, None without."""
        role = await self._view("roleOf", address_bytes(account))
        if role not in ROLE_NAMES:
            raise self._foreign("roleOf", role)
        return ROLE_NAMES[role] if role else None

    async def credit_of(self, account: str, token: Token = NATIVE) -> int:
        """Smallest units of a token that the account may withdraw."""
        return int(await self._view("creditOf", address_bytes(token), address_bytes(account)))

    async def total_bonds(self, token: Token = NATIVE) -> int:
        """Smallest units of a token held as bonds that are neither lost nor released."""
        return int(await self._view("totalBonds", address_bytes(token)))

    async def bond_of(self, training: int, account: str) -> int:
        """The account's bond in a training; 0 where it gave none, or it is lost or released."""
        return int(await self._view("bondOf", training, address_bytes(account)))

    async def bond_until(self, training: int, account: str) -> int:
        """From when on the account may release its bond, in Unix seconds; 0 before the training's end."""
        return int(await self._view("bondUntil", training, address_bytes(account)))

    async def steps_done(self, opening: SignedOpening) -> int:
        """How many steps the contract has taken to check an opening, of the last of which it keeps no count.

        Raises WrongChain for all of them or more: a node that lies would have us ask for none, or fewer.
        """
        done, _power = await self._view("doubtOf", opening.digest(self.market))
        if done >= opening.steps:
            raise self._foreign("doubtOf", f"{done} steps of {opening.steps}")
        return int(done)

    async def claimable_of(self, training: int, account: str) -> int:
        """What an owner of a training that is over has earned and not claimed yet; 0 for everybody else."""
        return int(await self._view("claimableOf", training, address_bytes(account)))

    async def total_escrow(self, token: Token = NATIVE) -> int:
        """Smallest units of a token held for trainings that have not ended, or for owners to claim."""
        return int(await self._view("totalEscrow", address_bytes(token)))

    async def balance_of(self, account: str, token: Token = NATIVE) -> int:
        """Smallest units of a token that the account itself has, outside the contract."""
        if token != NATIVE:
            return await balance_of(self.rpc, token, account)
        return quantity(await self.rpc.call("eth_getBalance", account, "latest"))

    async def block_number(self) -> int:
        """The newest block."""
        return quantity(await self.rpc.call("eth_blockNumber"))

    async def events(self, name: str, *indexed: str | None) -> list[Any]:
        """All events of a name whose indexed fields are these hexadecimal values; None fits any."""
        topics = [value and f"0x{value[2:]:0>64}" for value in indexed]
        last = await self.block_number() - self.depth
        events = await self._logs.in_range(self.first_block, last, [event_topic(name), *topics])
        return [event.event for event in events]

    def _foreign(self, view: str, answer: object) -> WrongChain:
        return WrongChain(
            f"{self.market.contract} answers {view} with {answer}, which this market's contract never does: "
            "check the address (deltaml admin contract show compares the code there)"
        )

    async def _view(self, name: str, *arguments: Any) -> Any:
        """The view's result, or a tuple of them where it has several; addresses in lower case."""
        request = {"to": self.market.contract, "data": f"0x{encode_function_call(name, *arguments).hex()}"}
        block = hex(max(0, await self.block_number() - self.depth)) if self.depth else "latest"
        try:
            answer = octets(await self.rpc.call("eth_call", request, block))
            results = from_web3(decode_function_result(name, answer))
        except RpcError as error:
            raise refusal_of(error) or error from None
        except ValueError:
            missing = f"no contract of this market answers at {self.market.contract}"
            if not self.depth:
                raise WrongChain(f"{missing}: check the address") from None
            raise ChainUnavailable(
                f"{missing}, {self.depth} blocks below the newest: wait for more blocks, or check the address"
            ) from None
        return results[0] if len(results) == 1 else results
