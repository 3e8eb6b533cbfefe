"""The data owner's shell: its data sets, its standing policy, its budget, its introduction to aggregators."""

from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from pathlib import Path

from typing_extensions import override

from protocol.bodies import body_of
from protocol.codec import pack, unpack
from protocol.data_card import cards_digest, listed_cards
from protocol.data_set import DataSet
from protocol.envelope import SignedMessage
from protocol.errors import ProtocolViolation
from protocol.learning.kinds.registry import KINDS, kind_of
from protocol.marketplace import Claim, Joined, Opened, Withdraw
from protocol.messages import (
    AnnouncementAnswer,
    Message,
    OwnerAnnouncement,
    PolicyOrder,
    WithdrawOrder,
)
from protocol.owner_policy import OwnerPolicy
from protocol.request import Request
from protocol.roles.dispatch import decode_state, early_inputs
from protocol.roles.engine import facts, private
from protocol.roles.engine.inputs import EventConfirmed, Input, PolicyChanged, input_name
from protocol.roles.owner.state import UndecidedState
from services.data.catalog import Catalog
from services.participants.places import Places
from services.participants.row_fitting import fitted_statistic, joined_request, names_to_fit
from services.records.admissions import ADMITTED, ANSWERED, REFUSED, Refusal
from services.records.earnings import unclaimed_pay
from services.records.owner_account import ORDERED_POLICY, count_earlier_trainings, counts_of, ordered_policy
from services.runtime.role_adapter import NO_TRAINING, Answer, Role, RoleContext
from services.store import Store

_CARDS = "cards_at:"
"""To which cards an aggregator has answered."""
_UNDECIDED = ("WAITING", "READY")
_DECIDING = frozenset({"Opened", "invitation", "owner_decision", "catalogue_changed", "policy_changed"})
"""The inputs whose step may join a training."""


class OwnerRole(Role):
    """One owner's: it works with some aggregators and offers what its catalogue holds."""

    name = "data_owner"

    def __init__(
        self,
        store: Store,
        *,
        address: str,
        data_sets: Callable[[], Mapping[str, DataSet]],
        aggregators: tuple[str, ...],
        policy: OwnerPolicy,
        catalog: Catalog | None = None,
        places: Places | None = None,
        file: Path | None = None,
    ) -> None:
        """`aggregators` are those we work with; they may be set anew, from `file` where there is one.

        `data_sets` are asked for where a step may join a training; a `catalog` they come from is watched for
        changes. `policy` is the configured one: an ordered one takes its place. `places` bound the trainings
        under way.
        """
        super().__init__(store)
        self._address = address
        self.data_sets, self.aggregators, self.configured = data_sets, aggregators, policy
        self.catalog, self._places, self.file = catalog, places or Places(store), file
        self.asks_again_at: float | None = None
        count_earlier_trainings(store)

    def announcements(self) -> tuple[tuple[str, Message], ...]:
        """What to send to each aggregator that has not admitted us with our cards as they are now.

        The list of one that refused us may have changed since.
        """
        answered, told = self.store.values(ANSWERED), self.store.values(_CARDS)
        cards = listed_cards({name: one.card for name, one in self.data_sets().items()})
        body, digest = OwnerAnnouncement(model_kinds=tuple(KINDS), cards=cards), cards_digest(cards)
        return tuple(
            (one, body)
            for one in self.aggregators
            if answered.get(one) != ADMITTED or told.get(one) != digest
        )

    def refusals(self) -> tuple[Refusal, ...]:
        """The aggregators that do not admit us, and when we ask them again."""
        answered = self.store.values(ANSWERED)
        refusing = (one for one in self.aggregators if answered.get(one) == REFUSED)
        return tuple(Refusal(one, self.asks_again_at) for one in refusing)

    def is_answered(self) -> bool:
        """Whether every aggregator has answered, be it with a refusal."""
        return self.store.values(ANSWERED).keys() >= set(self.aggregators)

    @override
    def key_of_message(self, signed: SignedMessage) -> str:
        """Answers to announcements and some orders belong to no training; only our aggregators start one."""
        if signed.envelope.type in ("announcement_answer", "policy_order", "withdraw_order"):
            return NO_TRAINING
        key = super().key_of_message(signed)
        if signed.envelope.type == "invitation" and signed.envelope.sender not in self.aggregators:
            raise ProtocolViolation("unknown_aggregator", signed.envelope.sender)
        return key

    @override
    def key_of_opening(self, opened: Opened) -> str | None:
        """An opening by one of our aggregators starts an instance: an invitation may follow."""
        objection = self.objection(opened.training, opened.buyer, opened.aggregator)
        return None if objection else str(opened.training)

    @override
    def objection(self, training: int, buyer: str, aggregator: str) -> str:
        return self._places.objection(training, buyer) if aggregator in self.aggregators else "not_mine"

    @override
    async def context(self, key: str, item: Input) -> RoleContext:
        policy = self.policy()  # read once: an order that comes while rows are fitted is for the next step
        return RoleContext(
            private=await self._with_fits(key, item, self.private(item), policy),
            policy=policy,
        )

    def private(self, item: Input) -> Mapping[str, bytes]:
        """With a step that may join a training: the cards of every data set, its rows, and what was joined.

        Who joins commits to what the rows lead to. No other step sees any, nor one that finds our seat taken.
        """
        if not self.is_serialized(item):
            return {}
        values, commits = {private.COUNTS.name: pack(counts_of(self.store))}, input_name(item) in _DECIDING
        for name, one in self.data_sets().items():
            values[private.CARD.name_of(name)] = pack(one.card)
            if commits:
                values[private.DATA_SET.name_of(name)] = one.statistic.to_bytes()
        return values

    async def _with_fits(
        self, key: str, item: Input, values: Mapping[str, bytes], policy: bytes
    ) -> Mapping[str, bytes]:
        """The private values, with the fits of rows that are committed to, where the request needs them."""
        request, names = self._fitted_for(key, item, values, policy)
        if request is None or not kind_of(request).reads_rows:
            return values
        fits = {
            place: (await fitted_statistic(request, name, one, self.catalog)).to_bytes()
            for name, one in self.data_sets().items()
            if (place := private.DATA_SET.name_of(name)) in values and name in names
        }
        return {**values, **fits}

    def _fitted_for(
        self, key: str, item: Input, values: Mapping[str, bytes], policy: bytes
    ) -> tuple[Request | None, Collection[str]]:
        """The request of a training that may be joined now, and the data sets that it may be with."""
        if input_name(item) not in _DECIDING:
            return None, ()
        with suppress(ProtocolViolation):  # the step tells
            row = self.store.instance(key)
            if row is None or not isinstance(state := decode_state(self.name, row.state), UndecidedState):
                return None, ()
            early = early_inputs(row.state, "invitation", self.store.blobs(key))
            if (request := joined_request(state, item, early)) is not None:
                return request, names_to_fit(state, item, request, unpack(OwnerPolicy, policy), values)
        return None, ()

    def _is_seated(self, item: Input) -> bool:
        """Whether the chain shows with this input that we have a seat."""
        event = item.chain_event.event if isinstance(item, EventConfirmed) else None
        return isinstance(event, Joined) and event.owner == self._address

    @override
    def is_serialized(self, item: Input) -> bool:
        """Two trainings joined at once would both find room in the same budget."""
        # With our own seat also what was decided in a state that was lost.
        return self._is_seated(item) or input_name(item) in _DECIDING

    def policy(self) -> bytes:
        """The standing policy, packed: the ordered one, else the configured one."""
        return pack(ordered_policy(self.store) or self.configured)

    @override
    def withdraws(self) -> bool:
        return bool(unpack(OwnerPolicy, self.policy()).withdraw)

    def undecided(self) -> list[str]:
        """The keys of trainings that wait for a data set or a decision."""
        return self.store.keys_shown(_UNDECIDED)

    @override
    def answer(self, signed: SignedMessage) -> Answer:
        """Remember whether an aggregator took us; carry out an order of our own operator."""
        sender = signed.envelope.sender
        match signed.envelope.type:
            case "policy_order" if sender == self._address:
                return self._policy_ordered(body_of(signed, PolicyOrder).policy)
            case "withdraw_order" if sender == self._address:
                return self._withdrawal(body_of(signed, WithdrawOrder))
            case "announcement_answer" if sender in self.aggregators:
                return self._announcement_answered(sender, body_of(signed, AnnouncementAnswer))
        raise ProtocolViolation("unknown_aggregator", sender)

    def _announcement_answered(self, aggregator: str, body: AnnouncementAnswer) -> Answer:
        """Remember it; the same answer to another announcement is no news."""
        answer = ADMITTED if body.accepted else REFUSED
        values = {ANSWERED + aggregator: answer, _CARDS + aggregator: body.cards}
        if self.store.values(ANSWERED).get(aggregator) == answer:
            return Answer(values=values)
        fact = facts.ANNOUNCEMENT_ANSWERED.pair(aggregator=aggregator, accepted=body.accepted, code=body.code)
        return Answer(values=values, fact=fact)

    def _policy_ordered(self, policy: OwnerPolicy | None) -> Answer:
        """The policy from now on; trainings that wait are looked at again under it."""
        content = None if policy is None else pack(policy)
        fact = facts.POLICY_CHANGED.pair(source="configuration" if policy is None else "order")
        again = tuple((key, PolicyChanged()) for key in self.undecided())
        return Answer(values={ORDERED_POLICY: content}, fact=fact, inputs=again)

    def _withdrawal(self, order: WithdrawOrder) -> Answer:
        """Have the credit paid out, after what is not claimed yet: a step may have failed before it did."""
        unclaimed = unclaimed_pay(self.store, self._address)
        claims = tuple(Claim(training=one.training) for one in unclaimed if one.token == order.token)
        receiver = {} if order.to is None else {"to": order.to}
        fact = facts.WITHDRAWAL_ORDERED.pair(token=order.token, **receiver)
        return Answer(calls=(*claims, Withdraw(token=order.token, to=order.to)), fact=fact)
