"""A buyer and an aggregator that talk about what is on offer, their stores beside them, without a bus."""

from decimal import Decimal

from protocol.codec import pack, unpack
from protocol.data_card import CardColumn, DataCard
from protocol.messages import CardsOrder, Message, OwnerAnnouncement
from protocol.messages.examples import any_card
from services.participants.federated_aggregator import AggregatorRole
from services.participants.model_buyer import BuyerRole
from services.runtime.role_adapter import NO_TRAINING
from services.store import Store
from tests.support.daemons.service_world import OneKey, Person

OWNERS = tuple(f"0x{number:040x}" for number in range(1, 400))


def card(name="clinic", **changes):
    """`any_card` under a name of its own."""
    return any_card().model_copy(update={"name": name, **changes})


def wide_card(name, columns):
    """A card that is long: so many columns of numbers."""
    numbers = {"minimum": Decimal(0), "maximum": Decimal(1)}
    made = tuple(CardColumn(name=f"{number}".rjust(200, "x"), **numbers) for number in range(columns))
    return DataCard(name=name, columns=made, rows_from=64)


class OfferMarket:
    """One aggregator, one buyer; owners announce themselves by address."""

    def __init__(self, admitted=OWNERS):
        self.person, self.hub = Person("model_buyer"), Person("federated_aggregator")
        self.store, self.hub_store = Store(), Store()
        self.aggregator = AggregatorRole(self.hub_store, self.hub.address, frozenset(admitted))
        self.buyer = BuyerRole(self.store, self.person.address, OneKey())
        self.pages, self.requests = [], []

    def close(self):
        self.store.close()
        self.hub_store.close()

    def announce(self, owner, *cards):
        """As the owner's signed announcement would."""
        body = OwnerAnnouncement(model_kinds=(), cards=cards)
        answer = self.aggregator._announced(owner, body)
        keep(self.hub_store, answer)

    def ask(self):
        """Have the buyer ask all pages; returns the order's message id."""
        order = self.person.signed(self.person, CardsOrder(aggregators=(self.hub.address,)), training=0)
        self._exchange(self._take(self.buyer, self.store, order))
        return order.envelope.message_id

    def request(self, body, sender=None):
        """What the aggregator answers one request with."""
        signed = (sender or self.person).signed(self.hub, body, training=0)
        return [answer for _, answer in self._take(self.aggregator, self.hub_store, signed).messages]

    def tell(self, page, sender=None):
        """Have the buyer hear a page; returns what it asks then."""
        signed = (sender or self.hub).signed(self.person, page, training=0)
        return self._take(self.buyer, self.store, signed).messages

    def _exchange(self, answer):
        for _recipient, body in answer.messages:
            self.requests.append(body)
            for page in self.request(body):
                self.pages.append(page)
                signed = self.hub.signed(self.person, page, training=0)
                self._exchange(self._take(self.buyer, self.store, signed))

    @staticmethod
    def _take(role, store, signed):
        assert role.key_of_message(signed) == NO_TRAINING
        assert unpack(Message, signed.body).type == signed.envelope.type
        answer = role.answer(signed)
        keep(store, answer)
        return answer


def keep(store, answer):
    """Remember what an answer says, as the runtime does."""
    for name, content in answer.values.items():
        store.put_value(name, content)


def size_of(page):
    """Bytes of a page's body."""
    return len(pack(page))
