"""A market to be explored: whatever may come next is a choice, and nothing happens unless it is chosen.

Messages and contract calls are under way until they are chosen, in any order; messages may be repeated or
lost. Timers may fire at any time. A party may stop for a while, or for ever, with what it was about to send.
Chain events are neither lost nor reordered for one party, and calls of a party that lives reach the chain in
the end: the outbox and the listener see to that, and have tests of their own.
"""

from random import Random
from typing import Any

from protocol.codec import unpack
from protocol.marketplace import Cancel, Close, Draw, Settle, Withdraw
from protocol.messages import MESSAGE_TYPES, AdmissionAnswer, StopOrder, TrainingFailed
from protocol.payment import abandoned
from protocol.roles.engine.inputs import MessageReceived
from protocol.roles.shared.notices import STOPPED_BY_AGGREGATOR
from protocol.types import seats_of
from tests.support.roles.pay import credited, recomputed
from tests.support.roles.plain_market import assert_model_of_twin
from tests.support.roles.pure_contract import TRAINING
from tests.support.roles.pure_market import PureMarket
from tests.support.roles.pure_party import ENDED, Party
from tests.support.roles.small_markets import COLUMNS, body_of, small_data, small_request

REQUEST = small_request(schedule={"rounds": 2, "local_steps": 1, "step_size": "0.05"})
DATA = small_data(owners=5, rows=8)
NEVER_EARLY = ("opened",)
"""A day's wait for the opening on chain: only a broken clock ends it early, and then nobody may be left."""
LONGEST_END = 1_000
"""Timers that may fire until every training is over, the repetitions of a month included."""


def notices_of_failure(party: Party) -> set[str]:
    """Why the aggregator has told a party that it gives the training up."""
    bodies = (body_of(item.signed) for item in party.inbox if isinstance(item, MessageReceived))
    return {body.code for body in bodies if isinstance(body, TrainingFailed)}


class ExploredMarket(PureMarket):
    """A pure market whose calls are deliveries like others, and whose parties stop and come back."""

    def __init__(self) -> None:
        super().__init__(REQUEST, DATA, COLUMNS, choose=self._choose)
        self.order = Random(0)
        self.calls: list[tuple[Party, Any]] = []
        self.asleep: set[str] = set()
        self.repeated = False
        self.start()

    def _choose(self, eligible: Any) -> int:
        return int(self.order.choice(eligible))

    # ---- what may happen ----

    def call(self, party: Party, call: Any) -> None:
        """A call is under way until it is mined."""
        self.calls.append((party, call))

    def mine(self, index: int = 0) -> None:
        """One call that is under way takes its effect, or is refused; earlier ones before a withdrawal."""
        party, call = self.calls[index % len(self.calls)]
        if isinstance(call, Withdraw):
            index = next(place for place, (caller, _call) in enumerate(self.calls) if caller is party)
        super().call(*self.calls.pop(index % len(self.calls)))
        self.pending = [one for one in self.pending if one[0] in self.parties]  # no stranger is told anything

    def go(self, seed: int, count: int) -> None:
        """Some messages, events and calls arrive, in an order of their own."""
        self.order.seed(seed)
        for _ in range(count):
            ready = self.eligible()
            if self.calls and self.order.randrange(len(self.calls) + len(ready)) < len(self.calls):
                self.mine(self.order.randrange(len(self.calls)))
            elif ready:
                self.deliver_next()

    def eligible(self) -> list[int]:
        """As before, but for what waits for a party that is away."""
        return [position for position in super().eligible() if self.pending[position][0] not in self.asleep]

    def repeat(self, index: int) -> None:
        """A message that was sent arrives once more."""
        if self.wire:
            self.repeated = True
            self.post(self.wire[index % len(self.wire)])

    def lose(self, index: int) -> None:
        """A message never arrives."""
        places = [n for n, (_, item) in enumerate(self.pending) if isinstance(item, MessageReceived)]
        if places:
            del self.pending[places[index % len(places)]]

    def fire_one(self, index: int) -> None:
        """A timer fires, whatever the time is."""
        timers = [
            (party, name)
            for party in self.living()
            for name in sorted(party.timers)
            if name not in NEVER_EARLY and party.address not in self.asleep
        ]
        if timers:
            self.fire(*timers[index % len(timers)])

    def stop_for_ever(self, party: Party) -> None:
        """The party is gone, and with it what it was about to send."""
        self.silent.add(party.address)
        self.asleep.discard(party.address)
        self.calls = [(caller, call) for caller, call in self.calls if caller is not party]

    def order_stop(self, party: Party) -> None:
        """Its operator stops the training, once there is one."""
        if party.state is not None and party.decoded.training is not None and party in self.living():
            order = self.message(party, party, StopOrder(training=TRAINING, reason="test"))
            self.pending.append((party.address, MessageReceived(signed=order)))

    def meddle(self, index: int) -> None:
        """A stranger makes a call that anybody may make; the contract says whether its time has come."""
        call = (Close, Draw, Settle, Cancel)[index % 4](training=TRAINING)
        if self.contract.status != "none":
            self.calls.append((Party("data_owner", b"\7" * 32, b"\7" * 32), call))

    def living(self) -> list[Party]:
        """Parties that have not stopped for ever."""
        return [party for party in self.parties.values() if party.address not in self.silent]

    # ---- the end ----

    def end(self) -> int:
        """Everybody that lives is awake, everything arrives, time passes; how many timers that took."""
        self.asleep.clear()
        fired = 0
        while True:
            while self.calls or self.pending:
                if self.calls:
                    self.mine()
                else:
                    self.deliver_next()
            if fired == LONGEST_END or not self.tick():
                return fired
            fired += 1

    # ---- what must hold ----

    def check_money(self) -> None:
        """Every wei is in escrow, somebody's credit, or withdrawn; everybody got what the rounds say."""
        ledger, contract = self.contract.ledger, self.contract
        if ledger is None:
            return
        deposit, buyer = ledger.opened.deposit, self.buyer.address
        assert ledger.total == deposit
        if not contract.ended:
            assert ledger.escrow == deposit
            return
        waiting = sum(map(ledger.claimable, contract.seats))
        assert waiting <= ledger.escrow <= waiting + len(contract.seats)
        if contract.status == "settled":
            expected = recomputed(contract.events)
        else:
            expected = abandoned(self.request, [contract.seats[seat] for seat in seats_of(contract.drawn)])
        for account, share in list(expected):
            if account in ledger.unclaimed:
                del expected[account, share]
        del expected[buyer, "refund"]
        expected[buyer, "refund"] = deposit - ledger.escrow - expected.total()
        assert credited(ledger.credited) == +expected

    def check_seats(self) -> None:
        """All who have revealed have a role, and nobody else; no round is of others."""
        contract = self.contract
        assert contract.drawn in (0, contract.revealed)
        for event in contract.recorded:
            assert not (event.record.trainers | event.record.validators) & ~contract.drawn
        for owner in self.owners:
            if owner.phase in ("running", "finished"):
                assert contract.revealed >> contract.seats.index(owner.address) & 1

    def check_model(self) -> None:
        """One model at most, after the settlement, and the one that is paid for.

        Before a signed last round a validator hands it out only if it knows of nobody but the aggregator
        that may have ended the training.
        """
        contract = self.contract
        assert len(self.buyer.kept) <= 1
        for message in self.sent("trained_model"):
            assert contract.status == "settled"
            sender = self.parties[message.envelope.sender]
            assert contract.last_recorded or notices_of_failure(sender) <= {STOPPED_BY_AGGREGATOR}
            assert contract.last_recorded or sender.role == "data_owner"
            body = unpack(MESSAGE_TYPES["trained_model"], message.body)
            assert body.model.digest() == contract.recorded[-1].record.delivered_digest  # type: ignore[attr-defined]
        assert not self.buyer.kept or self.sent("trained_model")

    def check_weights(self) -> None:
        """What was bought is what the same rounds give without encryption."""
        everybody = self.contract.trainers
        if self.buyer.kept and all(one.record.trainers == everybody for one in self.contract.recorded):
            assert_model_of_twin(self)

    def check_questions(self) -> None:
        """No question is answered twice, and no round opened twice, with other numbers."""
        openings = {(m.envelope.round, m.body) for m in self.sent("opening")}
        assert len(openings) == len({round_number for round_number, _ in openings})
        for kind in ("moment_answer", "projection_answer", "zero_test_result"):
            places = [(m.envelope.round, m.envelope.attempt, m.envelope.recipient) for m in self.sent(kind)]
            assert len(places) == len(set(places))

    def check_admissions(self) -> None:
        """Who admits an owner signs for one commitment of it, which it joins with where it joins."""
        signed = {
            (message.envelope.sender, body.owner, body.commitment)
            for message in self.sent("admission_answer")
            for body in [unpack(AdmissionAnswer, message.body)]
            if body.code == "admitted"
        }
        assert len(signed) == len({(signer, owner) for signer, owner, _ in signed})
        admitted = {owner for _, owner, _ in signed}
        assert set(self.contract.seats) <= admitted

    def check_blame(self) -> None:
        """Nobody is accused where everybody kept the rules, however late or lost their messages were."""
        if not self.repeated:
            accused = [(p.role, v.code) for p in self.parties.values() for v in p.violations]
            assert not accused, accused

    def check_ended(self) -> None:
        """With everybody that lives awake, the training is over for the contract and for each of them."""
        phases = {party.role + party.address[:6]: party.phase for party in self.living() if party.state}
        assert all(phase in ENDED for phase in phases.values()), (self.contract.status, phases)
        took_part = [
            party
            for party in self.living()
            if party.role != "data_owner" or party.address in self.contract.seats
        ]
        if took_part and self.contract.status != "none":
            assert self.contract.ended, (self.contract.status, phases)
        ledger = self.contract.ledger
        forgotten = [one.phase for one in took_part if ledger is not None and ledger.claimable(one.address)]
        assert not forgotten, forgotten
