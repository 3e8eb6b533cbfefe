"""Records that are signed and not on the chain yet, as buyer and validators hold them.

The aggregator sends a record to the chain as soon as enough have signed it. The contract lets anybody do so
in the second half of the round's time, and validators sign for everybody: so an aggregator that keeps a
record back, or has died, keeps nobody from what was signed. The buyer comes first, then the validators in
turn: of many calls at once all but one would pay gas for nothing.
"""

from typing import TypeVar

from protocol.accusations import AccuseOfTwoRecords
from protocol.marketplace import Opened, RecordRound, RoundRecorded
from protocol.messages import RoundSignature
from protocol.records import RoundRecord
from protocol.roles.engine import timers
from protocol.roles.engine.context import Context
from protocol.roles.engine.effects import CancelTimer, Effect, SetTimer, SubmitCall
from protocol.roles.engine.inputs import Received
from protocol.roles.engine.refusals import require
from protocol.roles.engine.state import PhaseState, replace
from protocol.roles.shared.accusing import AccusingState, accused_by
from protocol.roles.shared.parties import Parties
from protocol.signatures import recover_address
from protocol.terms import Terms
from protocol.types import Address, Digest, EcdsaSignature, FrozenModel, RoundNumber


class SignedRound(FrozenModel):
    """A record that the buyer has signed, with the validators' signatures that have come."""

    record: RoundRecord
    buyer_signature: EcdsaSignature
    signatures: tuple[tuple[Address, EcdsaSignature], ...] = ()

    def with_signature(self, signer: Address, signature: EcdsaSignature) -> "SignedRound":
        """With one more validator's, or another one of the same."""
        others = (one for one in self.signatures if one[0] != signer)
        return replace(self, signatures=(*others, (signer, signature)))

    def accusation(
        self, opened: Opened, received: Received[RoundSignature], context: Context
    ) -> AccuseOfTwoRecords | None:
        """That what a validator has sent proves two signed records of the round."""
        signatures = [(opened.buyer, self.buyer_signature), *self.signatures]
        return accused_by(opened, self.record, signatures, received.sender, received.body, context)

    def call(self, parties: Parties) -> RecordRound:
        """What sends it to the chain."""
        by_owner = dict(self.signatures)
        members = parties.addresses(self.record.validators)
        return RecordRound(
            record=self.record,
            buyer_signature=self.buyer_signature,
            validator_signatures=tuple(by_owner.get(owner, b"") for owner in members),
        )


class RecordedState(PhaseState):
    """Base of the phases with recorded rounds.

    `recorded` is the last one, `recorded_model` the digest of the model that it delivers if no round follows.
    """

    recorded: RoundNumber = 0
    recorded_model: Digest | None = None
    last_recorded: bool = False


class RecordingState(RecordedState, AccusingState):
    """Base of the phases in which a party holds signed rounds until the chain shows them.

    `progressed_at` is when the contract's clock last started again, by our own clock: for the first round
    when the time to reveal is over.
    """

    signed_rounds: tuple[SignedRound, ...] = ()
    progressed_at: float = 0.0

    def signed(self, number: RoundNumber) -> SignedRound | None:
        """The signed round of this number, if it is held."""
        return next((one for one in self.signed_rounds if one.record.round == number), None)


S = TypeVar("S", bound=RecordingState)


def with_round(state: S, signed: SignedRound) -> S:
    """With a round that has just been signed."""
    return replace(state, signed_rounds=(*state.signed_rounds, signed))


def with_signature(state: S, held: SignedRound, received: Received[RoundSignature], context: Context) -> S:
    """With a validator's signature of a round that is held.

    Raises ProtocolViolation unless it is one of those who measured the round, and has signed its record.
    """
    seat = state.parties.seat_of(received.sender)
    require(held.record.validators >> seat & 1 == 1, "not_a_validator")
    signature = received.body.signature
    signer = recover_address(held.record.digest(context.market), signature)
    require(signer == received.sender, "bad_record_signature")
    more = held.with_signature(signer, signature)
    return replace(state, signed_rounds=tuple(more if one is held else one for one in state.signed_rounds))


def with_recorded(state: S, event: RoundRecorded, context: Context) -> S:
    """After the next round's record is on the chain, whose clock starts again; another may be signed already.

    Raises ProtocolViolation for any other round's.
    """
    require(event.round == state.recorded + 1, "round_out_of_order")
    return replace(
        state,
        recorded=event.round,
        recorded_model=event.record.delivered_digest,
        last_recorded=event.record.last,
        # The last one stays: another record of the same round is proved by it.
        signed_rounds=tuple(one for one in state.signed_rounds if one.record.round >= event.round),
        progressed_at=context.now,
    )


def due_call(state: RecordingState) -> RecordRound | None:
    """The call that records the next round, where enough have signed it."""
    held = state.signed(state.recorded + 1)
    if held is None or len(held.signatures) < state.parties.quorum:
        return None
    return held.call(state.parties)


def record_timer(state: RecordingState, terms: Terms, context: Context) -> SetTimer | CancelTimer:
    """Fires when it is our turn to record a round that is signed; there is none where none is."""
    if due_call(state) is None:
        return timers.RECORD.cancel()
    seconds = terms.round_seconds * (0.5 + 0.25 * _turn(state.parties, context.address)) + 1.0
    left = state.progressed_at + seconds - context.now
    # A clock may have been set back.
    return timers.RECORD.set(min(max(left, 0.0), seconds + terms.reveal_seconds))


def _turn(parties: Parties, address: Address) -> float:
    """Where we come among those who can: from 0, the buyer, to below 1, the last validator."""
    validators = parties.addresses(parties.validators)
    place = validators.index(address) + 1 if address in validators else 0
    return place / (len(validators) + 1)


def record_now(state: RecordingState, chain_seconds: float) -> tuple[Effect, ...]:
    """The call that records the next round, again and again until the chain shows it."""
    call = due_call(state)
    return () if call is None else (SubmitCall(call=call), timers.RECORD.set(chain_seconds))
