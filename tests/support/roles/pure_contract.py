"""The contract's rules, events, clock and money in plain Python; the Solidity tests own the original.

There are no blocks here. So a reveal is neither too early, as one is up to the draw block, nor without its
hash, as the first one is when it comes 256 blocks later; and whom the draw seats does not follow from nonces.
"""

from contextlib import suppress
from decimal import Decimal
from itertools import pairwise
from typing import Any

from protocol.errors import ProtocolViolation
from protocol.join_digests import nonce_digest
from protocol.learning.shapley import contributions_fixed, mse_after_fixed
from protocol.marketplace import (
    Cancelled,
    Closed,
    Joined,
    Opened,
    Revealed,
    RolesDrawn,
    RoundRecorded,
    Settled,
    quorum,
    validator_count,
)
from protocol.payment import error_left, pay_weights
from protocol.records import Market, RoundRecord
from protocol.seat_admission import SeatAdmission
from protocol.signatures import recover_address
from protocol.types import mask_of, seats_of
from tests.support.roles.pure_bonds import PureBonds
from tests.support.roles.pure_ledger import PureLedger

MARKET = Market(chain_id=1337, contract="0x" + "11" * 20)
TRAINING = 1


class Refused(Exception):  # noqa: N818
    """The contract reverts; `code` is the custom error in snake_case."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class PureContract:
    """One training: None → open → drawing → running → settled or cancelled. `now` is the market's clock."""

    def __init__(self, validators: list[int] | None = None) -> None:
        self.seats: list[str] = []
        self.nonce_digests: list[bytes] = []
        self.revealed = 0
        self.nonces: dict[int, bytes] = {}
        self.opened: Opened | None = None
        self.status = "none"
        self.recorded: list[RoundRecorded] = []
        self.first = self.best = self.left = 0
        self.folds: list[int] = []
        self.now = 0.0
        self.join_until = self.reveal_until = self.round_until = 0.0
        self.trainers = self.validators = 0
        self.forced_validators = validators
        self.calls: list[tuple[str, str]] = []
        self.events: list[Any] = []
        self.ledger: PureLedger | None = None
        self.bonds: PureBonds | None = None
        self.ended_at = 0.0

    @property
    def ended(self) -> bool:
        return self.status in ("settled", "cancelled")

    @property
    def ends_at(self) -> float:
        """When anybody may end it for want of progress: a quarter of a round's time after one was late."""
        assert self.opened is not None
        return self.round_until + self.opened.terms.round_seconds // 4

    @property
    def drawn(self) -> int:
        """The seats with a role."""
        return self.trainers | self.validators

    @property
    def last_recorded(self) -> bool:
        return bool(self.recorded) and self.recorded[-1].record.last

    def apply(self, sender: str, call: Any) -> list[Any]:
        """The events of a call; raises Refused."""
        self.calls.append((sender, call.call))
        events = list(getattr(self, f"_{call.call}")(sender, call))
        self.events.extend(events)
        return events

    def _open(self, sender: str, call: Any) -> list[Any]:
        self._require(self.status == "none", "wrong_status")
        self.status, self.join_until = "open", self.now + call.terms.join_seconds
        self.opened = Opened(
            training=TRAINING,
            buyer=sender,
            aggregator=call.terms.aggregator,
            deposit=call.deposit,
            terms=call.terms,
        )
        self.ledger, self.bonds = PureLedger(self.opened), PureBonds(self.opened, MARKET)
        self._give(sender, call.terms.buyer_bond)
        return [self.opened]

    def _give(self, account: str, bond: int) -> None:
        assert self.bonds is not None
        self.bonds.give(account, bond)

    def _join(self, sender: str, call: Any) -> list[Any]:
        self._require(self.status == "open", "wrong_status")
        self._require(self.now < self.join_until, "too_late")
        self._require(sender not in self.seats, "already_joined")
        assert self.opened is not None
        self._require(len(self.seats) < self.opened.terms.max_owners, "no_seat_left")
        self._require(any(call.commitment) and any(call.nonce_digest), "invalid_join")
        self._check_admission(sender, call)
        self._require((call.bond, call.token) == self._asked("owner_bond"), "wrong_value")
        self._give(sender, call.bond)
        self.seats.append(sender)
        self.nonce_digests.append(call.nonce_digest)
        return [
            Joined(
                training=TRAINING,
                owner=sender,
                seat=len(self.seats) - 1,
                commitment=call.commitment,
                nonce_digest=call.nonce_digest,
            )
        ]

    def _asked(self, bond: str) -> tuple[int, str]:
        """Which bond the terms ask for, and in what."""
        assert self.opened is not None
        return getattr(self.opened.terms, bond), self.opened.terms.token

    def _check_admission(self, owner: str, call: Any) -> None:
        assert self.opened is not None
        terms = self.opened.terms
        digest = SeatAdmission(
            training=TRAINING, owner=owner, request_hash=terms.request_hash, commitment=call.commitment
        ).digest(MARKET)
        if terms.admission != "buyer":
            self._require(_is_signed(terms.aggregator, digest, call.aggregator_signature), "bad_signature")
        if terms.admission != "aggregator":
            self._require(_is_signed(self.opened.buyer, digest, call.buyer_signature), "bad_signature")

    def _close(self, sender: str, call: Any) -> list[Any]:
        self._require(self.status == "open", "wrong_status")
        assert self.opened is not None
        bond, _ = asked = self._asked("aggregator_bond")
        self._require(not bond or sender == self.opened.aggregator, "not_party")
        may = sender == self.opened.aggregator or self.now >= self.join_until
        self._require(may and len(self.seats) >= self.opened.terms.min_owners, "too_early")
        self._require((call.bond, call.token) == asked or not (bond or call.bond), "wrong_value")
        self._give(sender, bond)
        self.status, self.reveal_until = "drawing", self.now + self.opened.terms.reveal_seconds
        self.round_until = self.reveal_until + self.opened.terms.round_seconds
        return [Closed(training=TRAINING, draw_block=1)]

    def _reveal(self, sender: str, call: Any) -> list[Any]:
        self._require(self.status == "drawing", "wrong_status")
        self._require(sender in self.seats, "not_party")
        seat = self.seats.index(sender)
        self._require(not self.revealed >> seat & 1, "already_revealed")
        self._require(self.now < self.reveal_until, "too_late")
        digest = nonce_digest(TRAINING, sender, call.nonce)
        self._require(self.nonce_digests[seat] == digest, "wrong_nonce")
        self.revealed |= 1 << seat
        self.nonces[seat] = call.nonce
        return [Revealed(training=TRAINING, owner=sender, seat=seat, nonce=call.nonce)]

    @property
    def too_few_revealed(self) -> bool:
        """Whether anybody may cancel, since the time to reveal is over and there is no draw."""
        assert self.opened is not None
        few = self.revealed.bit_count() < self.opened.terms.min_owners
        return self.status == "drawing" and self.now >= self.reveal_until and few

    def _draw(self, _sender: str, _call: Any) -> list[Any]:
        self._require(self.status == "drawing", "wrong_status")
        assert self.opened is not None
        left = list(seats_of(self.revealed))
        self._require(len(left) == len(self.seats) or self.now >= self.reveal_until, "too_early")
        self._require(len(left) >= self.opened.terms.min_owners, "too_few_revealed")
        self.status = "running"
        wanted = [seat for seat in self.forced_validators or () if seat in left]
        # Where seats are lost: the contract draws no fewer than two validators, and two trainers.
        as_wanted = 1 < len(wanted) < len(left) - 1
        chosen = wanted if as_wanted else left[-validator_count(len(left)) :]
        folds, count = self.opened.terms.folds, len(left)
        self.folds = [mask_of(chosen)]
        if folds > 1:
            edges = [fold * count // folds for fold in range(folds + 1)]
            self.folds = [mask_of(left[low:high]) for low, high in pairwise(edges)]
        return [self._begin_fold(0), *self._forfeit_unrevealed()]

    def _begin_fold(self, fold: int) -> RolesDrawn:
        self.validators = self.folds[fold]
        self.trainers = self.revealed & ~self.validators
        return RolesDrawn(training=TRAINING, trainers=self.trainers, validators=self.validators)

    def _forfeit_unrevealed(self) -> list[Any]:
        """Unless nobody could reveal."""
        assert self.bonds is not None
        late = [owner for seat, owner in enumerate(self.seats) if not self.revealed >> seat & 1]
        lost = [self.bonds.forfeit(owner, "no_reveal") for owner in late if self.revealed]
        return [event for event in lost if event is not None]

    def _record_round(self, sender: str, call: Any) -> list[Any]:
        record: RoundRecord = call.record
        self._require(self.status == "running" and not self.last_recorded, "wrong_status")
        self._require(record.round == len(self.recorded) + 1, "unexpected_round")
        assert self.opened is not None
        half = self.round_until - self.opened.terms.round_seconds // 2
        self._require(sender == self.opened.aggregator or self.now >= half, "too_early")
        self._check_signatures(record, call)
        self._require(record.trainers & ~self.trainers == 0, "invalid_metrics")
        self._require(record.validators & ~self.validators == 0, "invalid_metrics")
        after = mse_after_fixed(record.cross, len(record.own))
        shapley = contributions_fixed(record.mse_before, record.own, record.cross)
        each = self.opened.terms.rounds // self.opened.terms.folds
        begins = (record.round - 1) % each == 0
        if begins:
            self.first = self.best = self.left = record.mse_before
        elif self.recorded[-1].record.validators == record.validators:
            self._require(record.mse_before == self.recorded[-1].mse_after, "invalid_metrics")
        self._require(record.mse_before > 0 and self.left > 0, "invalid_metrics")
        self._require(record.delivers or not begins, "invalid_metrics")
        self.left = error_left(self.left, record.mse_before, after)
        weights = pay_weights(self.best, self.left, shapley)
        if self.opened.terms.folds > 1:
            weights = [weight * 10**18 // self.first for weight in weights]
        self.best = min(self.best, self.left)
        self.round_until = self.now + self.opened.terms.round_seconds
        event = RoundRecorded(
            training=TRAINING,
            round=record.round,
            record=record,
            mse_after=after,
            shapley=tuple(shapley),
            pay_weights=tuple(weights),
        )
        self.recorded.append(event)
        assert self.ledger is not None
        self.ledger.accrue(event)
        if record.last or record.round % each:
            return [event]
        return [event, self._begin_fold(record.round // each)]

    def _check_signatures(self, record: RoundRecord, call: Any) -> None:
        assert self.opened is not None
        digest = record.digest(MARKET)
        self._require(_is_signed(self.opened.buyer, digest, call.buyer_signature), "bad_signature")
        signers = [self.seats[seat] for seat in seats_of(record.validators)]
        self._require(len(signers) == len(call.validator_signatures), "invalid_metrics")
        pairs = zip(signers, call.validator_signatures, strict=True)
        given = [signer for signer, signature in pairs if _is_signed(signer, digest, signature)]
        self._require(len(given) >= quorum(self.validators.bit_count()), "too_few_signatures")

    def _settle(self, _sender: str, _call: Any) -> list[Any]:
        self._require(self.status == "running", "wrong_status")
        over = self.last_recorded or (bool(self.recorded) and self.now >= self.ends_at)
        self._require(over, "too_early")
        self.status, self.ended_at = "settled", self.now
        assert self.ledger is not None
        improvement, paid, refund = self.ledger.settle(self.seats, self.validators)
        return [Settled(training=TRAINING, improvement=improvement, paid=paid, refund=refund)]

    def _cancel(self, sender: str, _call: Any) -> list[Any]:
        assert self.opened is not None
        if self.status == "open":
            few = self.now >= self.join_until and len(self.seats) < self.opened.terms.min_owners
            closed_by = self.join_until + self.opened.terms.reveal_seconds
            few = few or (self.opened.terms.aggregator_bond > 0 and self.now >= closed_by)
            self._require(sender == self.opened.buyer or few, "not_party")
        else:
            self._require(self.status in ("drawing", "running") and not self.recorded, "wrong_status")
            self._require(self.too_few_revealed or self.now >= self.ends_at, "too_early")
        lost = self._forfeit_unrevealed() if self.status == "drawing" else []
        self.status, self.ended_at = "cancelled", self.now
        assert self.ledger is not None
        refund = self.ledger.abandon([self.seats[seat] for seat in seats_of(self.drawn)])
        return [*lost, Cancelled(training=TRAINING, refund=refund)]

    def _release_bond(self, sender: str, _call: Any) -> list[Any]:
        self._require(self.ended, "wrong_status")
        assert self.opened is not None
        assert self.bonds is not None
        self._require(self.now >= self.ended_at + self.opened.terms.round_seconds // 4, "too_early")
        self._require(self.bonds.release(sender) > 0, "no_bond")
        return []

    def _accuse_of_two_records(self, _sender: str, call: Any) -> list[Any]:
        assert self.bonds is not None
        self._require(self.bonds.shows_two_records(call, self.drawn), "no_fault")
        lost = self.bonds.forfeit(call.account, "two_records")
        self._require(lost is not None, "no_bond")
        return [lost]

    def _accuse_of_false_opening(self, _sender: str, call: Any) -> list[Any]:
        assert self.opened is not None
        assert self.bonds is not None
        self._require(self.bonds.held[self.opened.buyer] > 0, "no_bond")
        self._require(self.bonds.shows_false_opening(call), "no_fault")
        return [self.bonds.forfeit(self.opened.buyer, "false_opening")]

    def _claim(self, sender: str, _call: Any) -> list[Any]:
        self._require(self.ended, "wrong_status")
        self._require(sender in self.seats, "not_party")
        assert self.ledger is not None
        self._require(self.ledger.claim(sender), "nothing_to_claim")
        return []

    def _withdraw(self, sender: str, call: Any) -> list[Any]:
        assert self.ledger is not None
        assert self.opened is not None
        in_token = call.token == self.opened.terms.token
        assert self.bonds is not None
        paid = self.ledger.withdraw(sender) + self.bonds.withdraw(sender) if in_token else 0
        self._require(paid > 0, "nothing_to_withdraw")
        return []

    def _require(self, holds: bool, code: str) -> None:
        if not holds:
            raise Refused(code)


def _is_signed(signer: str, digest: bytes, signature: bytes) -> bool:
    with suppress(ProtocolViolation):
        return recover_address(digest, signature) == signer
    return False


def recorded_errors(contract: PureContract) -> list[tuple[float, float, list[float], list[float]]]:
    """(v₀, MSE after, q, c) of every recorded round as numbers."""

    def number(value: int) -> float:
        return float(Decimal(value) / 10**18)

    return [
        (
            number(event.record.mse_before),
            number(event.mse_after),
            [number(q) for q in event.record.own],
            [number(c) for c in event.record.cross],
        )
        for event in contract.recorded
    ]
