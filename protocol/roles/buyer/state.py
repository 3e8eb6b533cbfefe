"""What the model buyer remembers of one training, a type for each phase, and what all its handlers use.

A training is *ordered*, *opened* on the chain, *initiated* once an owner has joined, *running* once the roles
are drawn, *collecting* its model once it is settled, then *finished*; or *failed*.
"""

from typing import Literal

from protocol.admission_policy import AdmissionPolicy
from protocol.crypto.cipher import PrivateKey, PublicKey
from protocol.marketplace import Cancel
from protocol.request import Request
from protocol.roles.engine import private, timers
from protocol.roles.engine.context import Context, Step
from protocol.roles.engine.effects import SetTimer, SubmitCall
from protocol.roles.engine.state import PhaseState, enter, replace
from protocol.roles.shared.applications import ApplicationsState
from protocol.roles.shared.deadlines import seconds_to_the_end
from protocol.roles.shared.parties import Parties
from protocol.roles.shared.signed_rounds import RecordingState
from protocol.roles.shared.transcript import TranscriptHead
from protocol.terms import Terms
from protocol.types import BigInteger, Digest, RoundNumber, TrainingId


class BuyerState(PhaseState):
    """What the buyer remembers in every phase; its Paillier key stays in the key store.

    `failure` is the first reason for which the training is being ended, `stopped` whether its operator wants
    that, `recorded` the last round that the chain has recorded.
    """

    request: Request
    n: BigInteger
    parties: Parties = Parties()
    recorded: RoundNumber = 0
    stopped: bool = False
    failure: str | None = None


class OrderedState(BuyerState):
    """The operator has ordered; the deposit is on its way."""

    phase: Literal["ordered"] = "ordered"
    submitted: bool = False
    admission: AdmissionPolicy | None = None


class OnChainState(BuyerState):
    """Base of all phases with a training on the chain."""

    training: TrainingId


class CancellableState(OnChainState, ApplicationsState):
    """Base of the phases in which the buyer may still cancel; `accepted` once the aggregator takes it on.

    `admission` is the order's own policy about owners, in the place of the standing one.
    """

    accepted: bool = False
    admission: AdmissionPolicy | None = None


class OpenedState(CancellableState):
    """The training is open on the chain; the aggregator has the request and the key."""

    phase: Literal["opened"] = "opened"


class InitiatedState(CancellableState):
    """An owner has joined.

    `progressed_at` is zero until the joining is closed, then the end of the time to reveal, by our own clock.
    """

    phase: Literal["initiated"] = "initiated"
    progressed_at: float = 0.0


class RunningState(OnChainState, RecordingState):
    """The roles are drawn; rounds run until the contract settles.

    `link` is where the chain of opened rounds stands, `opened_sets` are the rounds that were opened.
    `start_error` and `delivered_error` are as the chain has them (× `FIXED_POINT`): of the first model, and
    of the one that is delivered if no round follows. Some kinds of model are delivered by them.
    """

    phase: Literal["running"] = "running"
    link: TranscriptHead
    opened_sets: tuple[RoundNumber, ...] = ()
    start_error: BigInteger = 0
    delivered_error: BigInteger = 0


class CollectingState(OnChainState):
    """Settled; the model is due until `model_until`, from the aggregator or else a validator."""

    phase: Literal["collecting"] = "collecting"
    recorded_model: Digest
    model_requests: int = 0
    model_until: float = 0.0
    start_error: BigInteger = 0
    delivered_error: BigInteger = 0


class FinishedState(OnChainState):
    """The model is kept for the operator."""

    phase: Literal["finished"] = "finished"
    recorded_model: Digest


class FailedState(BuyerState):
    """Cancelled, or ended before its signed last round and not by its aggregator: no model."""

    phase: Literal["failed"] = "failed"


BuyerStep = Step[BuyerState]


def terms_of(state: BuyerState) -> Terms:
    """What the contract is told: the document's terms under the training's key."""
    return state.request.terms(PublicKey(state.n).key_id)


def private_key_of(context: Context) -> PrivateKey:
    """The training's Paillier key, out of the runtime's key store."""
    return PrivateKey.from_bytes(context.private[private.PAILLIER.name])


def stall_timer(state: RunningState, context: Context) -> SetTimer:
    """Fires when anyone may end the training: after the last round soon, but the aggregator first."""
    if state.last_recorded:
        return timers.STALLED.set(2.0 * state.request.deadlines.chain_s)
    return timers.STALLED.set(seconds_to_the_end(terms_of(state), state.progressed_at, context.now))


def cancel(state: CancellableState, code: str) -> BuyerStep:
    """Ask the contract for the deposit back; the reason is shown once it is."""
    return Step(replace(state, failure=code), (SubmitCall(call=Cancel(training=state.training)),))


def fail(state: BuyerState, code: str) -> FailedState:
    """The final state without a model; the first reason is kept."""
    return enter(FailedState, state, failure=state.failure or code)
