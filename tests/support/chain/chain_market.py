"""A market of seven parties on a real contract, driven by calls, over whichever node is given."""

import asyncio
import os
from dataclasses import dataclass, field

from protocol.join_digests import nonce_digest
from protocol.marketplace import Close, ContractCall, Draw, Join, Open, Opened, RecordRound, Register, Reveal
from protocol.records import RoundRecord
from protocol.signatures import address_of, sign_digest
from protocol.terms import Terms
from services.chain.contract.abi import decode_function_result, encode_function_call
from services.chain.contract.client import MarketplaceClient
from services.chain.contract.codec import address_bytes, from_web3, terms_of, to_words
from services.chain.contract.deploy import Deployment, deploy
from services.chain.rpc.http import Rpc
from services.chain.rpc.values import octets
from services.chain.transactions.pending import Receipt, SendPolicy
from tests.support.chain.chain_events import chain_events
from tests.support.roles.admitting import signed_join

ETHER = 10**18
COMMITMENT = b"c" * 32
POLICY = SendPolicy(poll_seconds=0.02)
ROLES = ("model_buyer", "federated_aggregator", *["data_owner"] * 5)


@dataclass
class ChainMarket:
    """A deployed contract and its parties: the buyer, the aggregator, five owners."""

    rpc: Rpc
    deployment: Deployment
    clients: list[MarketplaceClient]
    keys: dict[str, bytes]
    started_with: dict[str, int] = field(default_factory=dict)
    fees: dict[str, int] = field(default_factory=dict)

    @property
    def buyer(self) -> MarketplaceClient:
        return self.clients[0]

    @property
    def aggregator(self) -> MarketplaceClient:
        return self.clients[1]

    @property
    def owners(self) -> list[MarketplaceClient]:
        return self.clients[2:]

    @classmethod
    async def create(cls, rpc: Rpc) -> "ChainMarket":
        """Fresh keys, so that tests share a node."""
        keys = [os.urandom(32) for _ in ROLES]
        for key in keys:
            await rpc.call("anvil_setBalance", address_of(key), hex(100 * ETHER))
        deployment = await deploy(rpc, keys[0], POLICY)
        market = deployment.market
        clients = [
            MarketplaceClient(rpc, market, key, policy=POLICY, first_block=deployment.block) for key in keys
        ]
        made = cls(rpc, deployment, clients, {address_of(key): key for key in keys})
        for client in clients:
            made.started_with[client.address] = await client.balance_of(client.address)
            made.fees[client.address] = 0
        return made

    async def submit(self, client: MarketplaceClient, call: ContractCall) -> Receipt:
        """Like the client's, with the fee noted."""
        receipt = await client.submit(call)
        self.fees[client.address] += receipt.fee
        return receipt

    async def register(self) -> None:
        calls = [
            self.submit(client, Register(role=role, exchange_key=self.exchange_key(client)))
            for client, role in zip(self.clients, ROLES, strict=True)
        ]
        await asyncio.gather(*calls)

    def exchange_key(self, client: MarketplaceClient) -> bytes:
        return bytes.fromhex(client.address[2:]).rjust(32, b"k")

    def opening(self, deposit: int = ETHER + 7, **changes) -> Open:
        values = {
            "aggregator": self.aggregator.address,
            "request_hash": b"r" * 32,
            "rounds": 2,
            "min_owners": 4,
            "max_owners": 8,
            "contribution_bps": 6500,
            "participation_bps": 500,
            "validation_bps": 2000,
            "aggregation_bps": 1000,
            "join_seconds": 3600,
            "round_seconds": 3600,
            "reveal_seconds": 600,
            "abandon_bps": 200,
        }
        return Open(terms=Terms(**values | changes), deposit=deposit)

    async def open(self, call: Open | None = None) -> int:
        """The new training's number."""
        call = call or self.opening()
        await self.submit(self.buyer, call)
        (training,) = [
            item.event.training
            for item in await chain_events(self.buyer, self.deployment.block)
            if isinstance(item.event, Opened) and item.event.terms == call.terms
        ]
        return training

    async def admitted(self, owner: MarketplaceClient, training: int) -> Join:
        """The call to join of an owner that buyer and aggregator admit."""
        _, _, opened = await self.buyer.opening_of(training)
        terms = self.opening().terms if opened is None else opened
        keys = {
            "aggregator": self.keys[self.aggregator.address],
            "buyer": self.keys[self.buyer.address],
        }
        call, market = joining(owner, training), self.deployment.market
        return signed_join(market, call, terms, owner.address, **keys)

    async def take_seat(self, owner: MarketplaceClient, training: int) -> Receipt:
        """An owner that is admitted joins."""
        return await self.submit(owner, await self.admitted(owner, training))

    async def view(self, name: str, *arguments: object) -> tuple:
        """What a view of the contract returns, also one that no role needs."""
        data = encode_function_call(name, *arguments)
        request = {"to": self.deployment.market.contract, "data": f"0x{data.hex()}"}
        answer = await self.rpc.call("eth_call", request, "latest")
        return decode_function_result(name, octets(answer))

    async def contract_admission_digest(self, training: int, owner: str, commitment: bytes) -> bytes:
        """The contract's own EIP-712 digest of an admission."""
        arguments = (training, address_bytes(owner), commitment)
        (digest,) = await self.view("hashAdmission", *arguments)
        return bytes(digest)

    async def contract_digest(self, record: RoundRecord) -> bytes:
        """The contract's own EIP-712 digest of a record."""
        (digest,) = await self.view("hashRecord", to_words(record))
        return bytes(digest)

    async def contract_terms(self, training: int) -> Terms:
        """A training's terms as the contract keeps them."""
        _, _, words = await self.view("termsOf", training)
        return terms_of(from_web3(words))

    async def draw(self, training: int) -> None:
        await self.join(training)
        await self.submit(self.aggregator, Close(training=training))
        await self.reveal(training)
        await self.submit(self.aggregator, Draw(training=training))

    async def join(self, training: int) -> None:
        """All owners take seats, in any order."""
        await asyncio.gather(*(self.take_seat(owner, training) for owner in self.owners))

    async def reveal(self, training: int) -> None:
        """All owners keep them."""
        await asyncio.gather(*(self.submit(owner, revealing(owner, training)) for owner in self.owners))

    async def record(self, training: int, number: int, mse_before: int, *, last: bool) -> RecordRound:
        """A round of made-up metrics, signed by the buyer and all validators."""
        owners = await self.buyer.owners(training)
        trainers = owners.trainers.bit_count()
        record = RoundRecord(
            training=training,
            round=number,
            last=last,
            trainers=owners.trainers,
            validators=owners.validators,
            mse_before=mse_before,
            own=tuple(mse_before // (2 + index) for index in range(trainers)),
            cross=tuple(mse_before // 3 for _ in range(trainers)),
            model_digest=bytes([number]) * 32,
            delivered_digest=bytes([number]) * 32,
            transcript_digest=b"t" * 32,
        )
        digest = record.digest(self.deployment.market)
        seats = [address for seat, address in enumerate(owners.seats) if owners.validators >> seat & 1]
        return RecordRound(
            record=record,
            buyer_signature=sign_digest(self.keys[self.buyer.address], digest),
            validator_signatures=tuple(sign_digest(self.keys[address], digest) for address in seats),
        )


def nonce_of(owner: MarketplaceClient, training: int) -> bytes:
    """An owner's nonce: here one that can be known."""
    return training.to_bytes(12, "big") + bytes.fromhex(owner.address[2:])


def joining(owner: MarketplaceClient, training: int) -> Join:
    """Takes a seat, where it needs no admission."""
    digest = nonce_digest(training, owner.address, nonce_of(owner, training))
    return Join(training=training, commitment=COMMITMENT, nonce_digest=digest)


def revealing(owner: MarketplaceClient, training: int) -> Reveal:
    """Keeps it."""
    return Reveal(training=training, nonce=nonce_of(owner, training))
