"""The federated aggregator's shell: which owners it admits, and which trainings are its own."""

from pathlib import Path

from cachetools import LRUCache
from typing_extensions import override

from protocol.bodies import body_of
from protocol.bond_policy import BondPolicy
from protocol.codec import pack
from protocol.envelope import SignedMessage
from protocol.errors import ProtocolViolation
from protocol.marketplace import Opened
from protocol.messages import AnnouncementAnswer, CardsRequest, OwnerAnnouncement
from protocol.roles.engine import facts
from protocol.roles.engine.inputs import Input
from services.participants.offer_pages import OfferPages
from services.participants.places import Places
from services.records.offers import Offer, offered
from services.runtime.role_adapter import NO_TRAINING, Answer, Role, RoleContext
from services.store import Store

_ANNOUNCED = "announced:"
_MOST_REFUSED = 4096
"""Owners that are remembered as refused: they ask again and again, and the same answer is no news."""
_OUTSIDE = frozenset({"owner_announcement", "cards_request"})


class AggregatorRole(Role):
    """One aggregator's: it admits the owners on its list."""

    name = "federated_aggregator"

    def __init__(
        self,
        store: Store,
        address: str,
        admitted: frozenset[str],
        *,
        places: Places | None = None,
        bonds: BondPolicy | None = None,
        file: Path | None = None,
    ) -> None:
        """`admitted` is the admission list: a buyer's straw man who holds ciphertexts would see the model.

        It may be set anew, from `file` where there is one.

        `places` bound the trainings under way, `bonds` what it deposits for one.
        """
        super().__init__(store)
        self._places = places or Places(store)
        self._address, self.admitted, self.file = address, admitted, file
        self._offers, self._bonds = OfferPages(store), pack(bonds or BondPolicy())
        self._refused: LRUCache[str, bool] = LRUCache(_MOST_REFUSED)

    @override
    def key_of_message(self, signed: SignedMessage) -> str:
        """Announcements, and buyers' questions about what is on offer, belong to no training."""
        return NO_TRAINING if signed.envelope.type in _OUTSIDE else super().key_of_message(signed)

    @override
    def key_of_opening(self, opened: Opened) -> str | None:
        """A training opened with us as its aggregator starts an instance."""
        objection = self.objection(opened.training, opened.buyer, opened.aggregator)
        return None if objection else str(opened.training)

    @override
    def objection(self, training: int, buyer: str, aggregator: str) -> str:
        return self._places.objection(training, buyer) if aggregator == self._address else "not_mine"

    @override
    async def context(self, key: str, item: Input) -> RoleContext:
        del key, item
        return RoleContext(announced=self.announced(), policy=self._bonds)

    def announced(self) -> tuple[str, ...]:
        """Owners on the list that have introduced themselves."""
        return tuple(owner for owner in self.store.values(_ANNOUNCED) if owner in self.admitted)

    @override
    def answer(self, signed: SignedMessage) -> Answer:
        """Admit an owner that is on the list and keep its cards, or tell a buyer what is on offer."""
        sender = signed.envelope.sender
        match signed.envelope.type:
            case "owner_announcement":
                return self._announced(sender, body_of(signed, OwnerAnnouncement))
            case "cards_request":
                page = self._offers.answer(sender, body_of(signed, CardsRequest), self.announced)
                return Answer(() if page is None else ((sender, page),))
        raise ProtocolViolation("unknown_training", signed.envelope.type)

    def _announced(self, owner: str, body: OwnerAnnouncement) -> Answer:
        accepted = owner in self.admitted
        code = "admitted" if accepted else "not_on_the_list"
        offer = Offer.of(body.cards)  # each card is hashed once, which takes the longest of all
        reply = AnnouncementAnswer(accepted=accepted, code=code, cards=offer.digest)
        before = self._answered(owner)
        values: dict[str, bytes | None] = {}
        if accepted:
            values = {_ANNOUNCED + owner: b"", **offered(owner, offer)}
        elif before:
            values = {_ANNOUNCED + owner: None}
        if accepted:
            self._refused.pop(owner, None)
        else:
            self._refused[owner] = True
        news = facts.OWNER_ANNOUNCED.pair(owner=owner, accepted=accepted)
        return Answer(((owner, reply),), values, None if before == accepted else news)

    def _answered(self, owner: str) -> bool | None:
        """What this owner was told last; of strangers so many as memory is kept for."""
        if owner in self._refused:
            return False
        return True if owner in self.store.values(_ANNOUNCED) else None
