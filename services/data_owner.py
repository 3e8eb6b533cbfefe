"""The data owner's shell: its data sets, its standing policy, and its introduction to aggregators."""

from collections.abc import Callable, Mapping

from protocol.codec import pack, unpack
from protocol.envelope import SignedMessage
from protocol.errors import ProtocolViolation
from protocol.learning.statistic import Statistic
from protocol.marketplace import MarketplaceEvent, Opened
from protocol.messages import AnnouncementAnswer, Message, OwnerAnnouncement
from protocol.roles.data_owner import DATA_SET
from protocol.roles.inputs import Input
from protocol.roles.owner_state import OwnerPolicy
from services.chain.views import MarketplaceViews
from services.directory import Directory
from services.role import OUTSIDE, Answer, Role
from services.store import Store

_ANSWERED = "aggregator:"
MODEL_KINDS = ("linear_regression",)


class OwnerRole(Role):
    """See Role."""

    name = "data_owner"

    def __init__(
        self,
        store: Store,
        views: MarketplaceViews,
        directory: Directory,
        *,
        data_sets: Callable[[], Mapping[str, Statistic]],
        aggregators: tuple[str, ...],
        policy: OwnerPolicy,
    ) -> None:
        """`views` read what is final, `data_sets` the catalogue; `aggregators` are those we work with."""
        super().__init__(store)
        self._views, self._directory = views, directory
        self._data_sets, self._aggregators, self._policy = data_sets, aggregators, policy
        self._exchange_keys: dict[int, Mapping[str, bytes]] = {}

    def announcements(self) -> tuple[tuple[str, Message], ...]:
        """What to send to each aggregator that has not answered yet."""
        answered = self.store.values(_ANSWERED)
        body = OwnerAnnouncement(model_kinds=MODEL_KINDS)
        return tuple((one, body) for one in self._aggregators if one not in answered)

    def key_of_message(self, signed: SignedMessage) -> str:
        """Answers to announcements belong to no training; only our aggregators may start one."""
        if signed.envelope.type == "announcement_answer":
            return OUTSIDE
        key = super().key_of_message(signed)
        if signed.envelope.type == "invitation" and signed.envelope.sender not in self._aggregators:
            raise ProtocolViolation("unknown_aggregator", signed.envelope.sender)
        return key

    def key_of_event(self, event: MarketplaceEvent) -> str | None:
        """An opening by one of our aggregators starts an instance: an invitation may follow."""
        known = super().key_of_event(event)
        if known is None and isinstance(event, Opened) and event.aggregator in self._aggregators:
            return str(event.training)
        return known

    async def private(self, key: str, item: Input) -> Mapping[str, bytes]:
        """Every data set's statistic."""
        del key, item
        return {DATA_SET + name: statistic.to_bytes() for name, statistic in self._data_sets().items()}

    async def exchange_keys(self, training: int | None) -> Mapping[str, bytes]:
        """The owners' keys as they joined; their set is final once the roles are drawn."""
        if training is None:
            return {}
        if training not in self._exchange_keys:
            owners = await self._views.owners(training)
            keys = {seat: await self._directory.exchange_key_of(training, seat) for seat in owners.seats}
            if not owners.trainers:
                return keys
            self._exchange_keys[training] = keys
        return self._exchange_keys[training]

    def policy(self) -> bytes:
        """See Role."""
        return pack(self._policy)

    def answer(self, signed: SignedMessage) -> Answer:
        """Remember whether an aggregator took us."""
        sender = signed.envelope.sender
        if signed.envelope.type != "announcement_answer" or sender not in self._aggregators:
            raise ProtocolViolation("unknown_aggregator", sender)
        body = unpack(AnnouncementAnswer, signed.body)
        data = {"aggregator": sender, "accepted": body.accepted, "code": body.code}
        return Answer(values={_ANSWERED + sender: body.code.encode()}, fact=("announcement_answered", data))
