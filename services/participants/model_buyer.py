"""The model buyer's shell: orders become trainings, and each has a Paillier key of its own."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from functools import cached_property

from cachetools import LRUCache
from typing_extensions import override

from protocol.admission_policy import AdmissionPolicy
from protocol.bodies import body_of
from protocol.codec import pack
from protocol.envelope import SignedMessage
from protocol.errors import ProtocolViolation
from protocol.marketplace import Opened
from protocol.messages import CardsAnswer, CardsOrder, TrainingOrder
from protocol.roles.buyer.state import BuyerState, terms_of
from protocol.roles.dispatch import decode_state
from protocol.roles.engine.inputs import Input, MessageReceived
from protocol.roles.engine.private import PAILLIER
from services.config.daemons import StandingOrder
from services.participants.offer_asking import OfferAsking
from services.records.buyer_training import ORDER
from services.runtime.input_codec import unqueued
from services.runtime.role_adapter import NO_TRAINING, Answer, PaillierKeys, Role, RoleContext
from services.store import Store

_MOST_TRAININGS = 1024


class BuyerRole(Role):
    """One buyer's: an order of its operator starts a training."""

    name = "model_buyer"

    def __init__(
        self,
        store: Store,
        address: str,
        keys: PaillierKeys,
        standing_orders: tuple[StandingOrder, ...] = (),
        admission: AdmissionPolicy | None = None,
    ) -> None:
        """`address` is the buyer's own, `keys` where its Paillier keys are.

        `admission` decides about owners where an order does not; without one all are admitted whom the
        aggregator admits.
        """
        super().__init__(store)
        self._address, self._keys, self.standing_orders = address, keys, standing_orders
        self._admission = pack(admission or AdmissionPolicy())
        self._offers = OfferAsking(store)
        # Every step asks; the request of a training that has a state never changes.
        self._key_bits: LRUCache[str, int] = LRUCache(_MOST_TRAININGS)

    @override
    def key_of_message(self, signed: SignedMessage) -> str:
        """An order starts an instance under its message id; it gets its training's number when opened.

        What has to do with offers belongs to no training.
        """
        if signed.envelope.type in ("cards_order", "cards_answer"):
            return NO_TRAINING
        if signed.envelope.type != "training_order":
            return super().key_of_message(signed)
        key = ORDER + signed.envelope.message_id.hex()
        request_hash = body_of(signed, TrainingOrder).request.hash()
        earlier = self._orders.setdefault(request_hash, key)
        if earlier != key and self._is_known(earlier):
            # Each has a key, and a deposit, of its own: the same order twice is paid twice.
            raise ProtocolViolation("ordered_already", f"the earlier order is {earlier}")
        self._orders[request_hash] = key
        return key

    @override
    def key_of_opening(self, opened: Opened) -> str | None:
        """An opening of ours belongs to the order with the same request and key."""
        if opened.buyer != self._address:
            return None
        for key in self.store.keys_shown(("WAITING",)):
            instance = self.store.instance(key)
            if instance is not None and instance.training is None:
                with suppress(ProtocolViolation):  # a state that is damaged keeps no other order waiting
                    if terms_of(self._state(instance.state)) == opened.terms:
                        return key
        return None

    @override
    def objection(self, training: int, buyer: str, aggregator: str) -> str:
        return "" if buyer == self._address else "not_mine"

    @override
    async def context(self, key: str, item: Input) -> RoleContext:
        return RoleContext(private=await self.private(key, item), policy=self._admission)

    async def private(self, key: str, item: Input) -> Mapping[str, bytes]:
        """The training's Paillier key, made when the order arrives."""
        bits = self._bits_of(key, item)
        return (
            {} if bits is None else {PAILLIER.name: await asyncio.to_thread(self._keys.paillier, key, bits)}
        )

    def _bits_of(self, key: str, item: Input) -> int | None:
        """How long a training's key is; None where neither a state nor an order tells."""
        if (known := self._key_bits.get(key)) is not None:
            return known
        instance = self.store.instance(key)
        if instance is not None:
            self._key_bits[key] = self._state(instance.state).request.key_bits
            return self._key_bits[key]
        if isinstance(item, MessageReceived) and item.signed.envelope.type == "training_order":
            return body_of(item.signed, TrainingOrder).request.key_bits
        return None

    @override
    def answer(self, signed: SignedMessage) -> Answer:
        """Ask aggregators what is on offer, and keep what they tell."""
        match signed.envelope.type:
            case "cards_order":
                return self._offers.ordered(body_of(signed, CardsOrder), signed.envelope.message_id)
            case "cards_answer":
                return self._offers.answered(signed.envelope.sender, body_of(signed, CardsAnswer))
        return super().answer(signed)

    @cached_property
    def _orders(self) -> dict[bytes, str]:
        """The key of each order by the hash of its request, those included whose first step is still to come.

        Read once: looking through all states for every event would take longer with each training.
        """
        hashes = {}
        for instance in self.store.instances():
            with suppress(ProtocolViolation):
                hashes[instance.key] = self._state(instance.state).request.hash()
        for key in self.store.waiting_keys():
            first = self.store.next_input(key) if key.startswith(ORDER) and key not in hashes else None
            item = None if first is None else unqueued(first.content)
            if isinstance(item, MessageReceived):
                hashes[key] = body_of(item.signed, TrainingOrder).request.hash()
        return {request_hash: key for key, request_hash in hashes.items()}

    def _is_known(self, key: str) -> bool:
        """Whether an order has an instance or may still get one; one that was refused gets none."""
        return self.store.instance(key) is not None or self.store.next_input(key) is not None

    def _state(self, content: bytes) -> BuyerState:
        state = decode_state(self.name, content)
        assert isinstance(state, BuyerState)
        return state
