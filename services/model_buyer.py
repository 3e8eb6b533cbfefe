"""The model buyer's shell: orders become trainings, and each has a Paillier key of its own."""

import asyncio
from collections.abc import Iterator, Mapping

from protocol.bodies import body_of
from protocol.envelope import SignedMessage
from protocol.errors import ProtocolViolation
from protocol.marketplace import MarketplaceEvent, Opened
from protocol.messages import TrainingOrder
from protocol.request import Request
from protocol.roles.dispatch import decode_state
from protocol.roles.inputs import Input, MessageReceived
from services.inbox import unqueued
from services.role import PaillierKeys, Role
from services.store import Store

_ORDER = "order:"


class BuyerRole(Role):
    """See Role."""

    name = "model_buyer"

    def __init__(self, store: Store, address: str, keys: PaillierKeys) -> None:
        """`address` is the buyer's own, `keys` its key store."""
        super().__init__(store)
        self._address = address
        self._keys = keys

    def key_of_message(self, signed: SignedMessage) -> str:
        """An order starts an instance under its message id; it gets its training's number when opened."""
        if signed.envelope.type != "training_order":
            return super().key_of_message(signed)
        key = _ORDER + signed.envelope.message_id.hex()
        wanted = body_of(signed, TrainingOrder).request.hash()
        if any(other != key and request.hash() == wanted for other, request in self._ordered()):
            # Trainings are told apart by request hash: the second would wait for the first's opening.
            raise ProtocolViolation("ordered_already", "change request.name to have it trained again")
        return key

    def key_of_event(self, event: MarketplaceEvent) -> str | None:
        """An opening of ours belongs to the order with the same request."""
        known = super().key_of_event(event)
        if known is not None or not isinstance(event, Opened) or event.buyer != self._address:
            return known
        for instance in self.store.instances():
            if instance.training is None and self._request(instance.state).hash() == event.terms.request_hash:
                return instance.key
        return None

    async def private(self, key: str, item: Input) -> Mapping[str, bytes]:
        """The training's Paillier key, made when the order arrives."""
        instance = self.store.instance(key)
        if instance is not None:
            request = self._request(instance.state)
        elif isinstance(item, MessageReceived) and item.signed.envelope.type == "training_order":
            request = body_of(item.signed, TrainingOrder).request
        else:
            return {}
        return {"paillier": await asyncio.to_thread(self._keys.paillier, key, request.key_bits)}

    def _ordered(self) -> Iterator[tuple[str, Request]]:
        """(key, request) of every instance, and of the orders whose first step is still to come."""
        known = {instance.key: instance.state for instance in self.store.instances()}
        for key, state in known.items():
            yield key, self._request(state)
        for key in self.store.waiting_keys():
            first = self.store.next_input(key) if key.startswith(_ORDER) and key not in known else None
            item = None if first is None else unqueued(first.content)
            if isinstance(item, MessageReceived):
                yield key, body_of(item.signed, TrainingOrder).request

    def _request(self, state: bytes) -> Request:
        request = getattr(decode_state(self.name, state), "request")  # noqa: B009  the state's type is the role's own
        assert isinstance(request, Request)
        return request
