"""What a buyer sees of a training, read out of its store."""

from dataclasses import dataclass
from functools import cached_property

from protocol.bought_model import BoughtModel
from protocol.codec import unpack
from protocol.learning.inference.estimates import Coefficient, Inference
from protocol.payment import earned
from protocol.roles.buyer.state import BuyerState, CancellableState
from services.console.presentation.training_record import TrainingRecord
from services.data.own_scores import OwnScores
from services.records.own_scores import kept_scores
from services.records.seat_admissions import Applicant, applicant_of
from services.records.stored_inference import bought_inference, coefficient_table

FINAL_PHASES = frozenset({"finished", "failed", "collecting"})


@dataclass(frozen=True)
class Training(TrainingRecord[BuyerState]):
    """One training, in the list or on its page."""

    role = "model_buyer"

    @cached_property
    def paid(self) -> int:
        """What everybody else gets, or would if the training ended now (wei)."""
        if self.refund is not None:
            return self.state.request.payment.deposit_wei - self.refund
        return earned(self.state.request, self.story.rounds).total()

    @property
    def refund(self) -> int | None:
        """What came back of the deposit (wei); None before it has."""
        credited = self.story.credited.items()
        return next((amount for (_who, share), amount in credited if share == "refund"), None)

    @property
    def started_at(self) -> float | None:
        """When the roles were drawn, in Unix seconds."""
        return next((entry.at for entry in self.story.transactions if entry.event == "RolesDrawn"), None)

    @property
    def applicants(self) -> tuple[Applicant, ...]:
        """The owners that would join, before the roles are drawn; who waits for a person first."""
        state = self.state
        if not isinstance(state, CancellableState):
            return ()
        found = (applicant_of(state, one) for one in state.applications)
        return tuple(sorted(found, key=lambda one: not one.waits))

    @property
    def stoppable(self) -> bool:
        """Whether the operator may still stop it."""
        state = self.state
        return state.training is not None and state.phase not in FINAL_PHASES and not state.stopped

    @property
    def stopping(self) -> bool:
        """Whether it was stopped and has not ended yet."""
        return self.state.stopped and self.state.phase not in FINAL_PHASES

    @property
    def model(self) -> BoughtModel | None:
        """The bought model: for operators alone."""
        content = self.party.store.result(self.row.key, "model")
        return None if content is None else unpack(BoughtModel, content)

    @property
    def inference(self) -> Inference | None:
        """What came of the model's standard errors; None where none are asked for, or are still to come."""
        return bought_inference(self.party.store, self.row)

    @property
    def coefficients(self) -> tuple[Coefficient, ...]:
        """Each weight with its standard error, for operators alone; empty without them."""
        if self.inference is None or self.inference.missing is not None:
            return ()
        return coefficient_table(self.party.store, self.row).lines

    @property
    def scores(self) -> OwnScores | None:
        """Of the bought model on rows of the buyer's own; None where none were brought."""
        return kept_scores(self.party.store, self.row.key)
