"""What the model buyer remembers of one training, and the pieces that all its handlers use."""

from typing import Literal

from protocol.crypto.cipher import PrivateKey
from protocol.learning.widths import Widths
from protocol.marketplace import (
    Cancel,
)
from protocol.request import Request
from protocol.roles.engine.context import Context, Step
from protocol.roles.engine.effects import SetTimer, SubmitCall
from protocol.roles.engine.machine import (
    EarlyInput,
    replace,
)
from protocol.roles.shared.deadlines import ending_seconds
from protocol.roles.shared.parties import Parties
from protocol.roles.shared.request_widths import training_widths
from protocol.roles.shared.transcript import TranscriptHead
from protocol.types import Address, BigInteger, Digest, FrozenModel, RoundNumber, TrainingId


class Answered(FrozenModel):
    """A question that was answered, so that it is never answered a second time with other randomness."""

    kind: Literal["refresh", "metric", "opening"]
    round: RoundNumber
    attempt: int
    asker: Address


class BuyerState(FrozenModel):
    """Everything the buyer remembers of one training; its Paillier key stays in the key store."""

    phase: Literal["ordered", "opened", "initiated", "running", "collecting", "finished", "failed"] = (
        "ordered"
    )
    request: Request
    n: BigInteger
    submitted: bool = False
    training: TrainingId | None = None
    parties: Parties = Parties()
    link: TranscriptHead
    recorded: RoundNumber = 0
    recorded_model: Digest | None = None
    last_recorded: bool = False
    opened_sets: tuple[RoundNumber, ...] = ()
    answered: tuple[Answered, ...] = ()
    model_requests: int = 0
    model_until: float = 0.0
    stopped: bool = False
    failure: str | None = None


BuyerStep = Step[BuyerState]


def private_key_of(context: Context) -> PrivateKey:
    """The training's Paillier key, out of the runtime's key store."""
    return PrivateKey.from_bytes(context.private["paillier"])


def widths_of(state: BuyerState) -> Widths:
    """The training's slot widths; EarlyInput until the aggregator has told the row counts."""
    if not state.parties.has_started():
        raise EarlyInput  # a validator was faster than the aggregator's start
    return training_widths(state.request, state.parties)


def stall_timer(state: BuyerState) -> SetTimer:
    """Fires when the contract lets anyone end the training."""
    return SetTimer(name="stalled", seconds=ending_seconds(state.request.terms()))


def cancel(state: BuyerState, code: str) -> BuyerStep:
    """Ask the contract for the deposit back; the reason is shown once it is."""
    assert state.training is not None
    return Step(replace(state, failure=code), (SubmitCall(call=Cancel(training=state.training)),))


def failed(state: BuyerState, code: str) -> BuyerState:
    """The final state without a model; the first reason is kept."""
    return replace(state, phase="failed", failure=state.failure or code)
