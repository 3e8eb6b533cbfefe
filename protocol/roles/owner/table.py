"""The data owner's transition table: what each phase allows, where it leads, what comes of it, and why."""

from protocol.marketplace import (
    Cancelled,
    Closed,
    Join,
    Joined,
    Opened,
    RecordRound,
    Reveal,
    Revealed,
    RolesDrawn,
    RoundRecorded,
    Settle,
    Settled,
)
from protocol.messages import (
    AdmissionAnswer,
    Complaint,
    EncryptedModel,
    Invitation,
    LocalModels,
    MetricProducts,
    ModelRequest,
    Opening,
    OpeningRefused,
    OpeningRequest,
    OwnerDecision,
    ParticipantDropped,
    RoundCompleted,
    RoundSignature,
    TrainingFailed,
    TrainingStarted,
)
from protocol.roles.engine import timers
from protocol.roles.engine.effects import (
    CancelTimer,
    PutValue,
    RecordFact,
    SendMessage,
    SetTimer,
    StoreBlob,
    SubmitCall,
)
from protocol.roles.engine.inputs import CatalogueChanged, PolicyChanged
from protocol.roles.engine.table import (
    STAYS,
    on_change,
    on_event,
    on_message,
    on_refusal,
    on_timer,
    on_training_gone,
)
from protocol.roles.owner import (
    admission,
    drawing,
    joining,
    progress,
    recording,
    serving,
    stall,
    trainer,
    validator,
)
from protocol.roles.owner.state import (
    DeclinedState,
    FailedState,
    FinishedState,
    InitiatedState,
    ReadyState,
    RunningState,
    WaitingState,
)
from protocol.roles.shared.accusing import ACCUSES
from protocol.roles.shared.deadlines import on_settle_refused
from protocol.roles.shared.notices import Notice

_UNDECIDED = (WaitingState, ReadyState)
_JOINED = (InitiatedState, RunningState)
_CONSIDERED = (WaitingState, ReadyState, InitiatedState, DeclinedState)
_SEATED = (SetTimer, CancelTimer, RecordFact, SendMessage, StoreBlob, PutValue)
_CONSIDERING = (*_SEATED, SubmitCall)
_NOTICES: tuple[type[Notice], ...] = (RoundCompleted, ParticipantDropped, Complaint, TrainingFailed)

JOINING = (
    on_event(WaitingState, Opened, joining.on_opened, effects=(CancelTimer, SetTimer)).because(
        "The deposit stands: an invitation may be believed."
    ),
    on_event(ReadyState, Opened, joining.on_opened).because(
        "A training is opened once: another opening is refused."
    ),
    on_timer(WaitingState, timers.OPENED, joining.on_never_opened, then=FailedState).because(
        "No opening has followed the invitation."
    ),
    on_message(
        WaitingState, Invitation, joining.on_invitation, then=_CONSIDERED, effects=_CONSIDERING
    ).because(
        "What the opening paid for is matched with the data sets and decided by the policy, or a person."
    ),
    on_message(ReadyState, Invitation, joining.on_invitation).because(
        "An owner is invited once: another invitation is refused."
    ),
    on_change(
        _UNDECIDED, CatalogueChanged, joining.on_reconsidered, then=_CONSIDERED, effects=_CONSIDERING
    ).because("Another data set may match."),
    on_change(
        _UNDECIDED, PolicyChanged, joining.on_reconsidered, then=_CONSIDERED, effects=_CONSIDERING
    ).because("Another policy may decide."),
    on_message(
        ReadyState,
        OwnerDecision,
        joining.on_decision,
        then=(STAYS, InitiatedState, DeclinedState),
        effects=_CONSIDERING,
    ).because("A person decides; a data set that does not match, or is over its budget, is not joined with."),
    on_timer(_UNDECIDED, timers.JOIN, joining.on_join_over, then=FailedState).because(
        "The joining is over without a decision."
    ),
    on_refusal(
        InitiatedState,
        Join,
        joining.on_join_refused,
        then=FailedState,
        effects=(RecordFact, PutValue, CancelTimer),
    ).because("There is no seat: the training does not count."),
    on_event(_UNDECIDED, Joined, joining.on_joined, then=_CONSIDERED, effects=_SEATED).because(
        "An owner has a seat; one of our own was decided upon before, in a state that was lost."
    ),
    on_message(
        InitiatedState,
        AdmissionAnswer,
        admission.on_admission_answer,
        then=(STAYS, FailedState),
        effects=(SubmitCall, RecordFact, CancelTimer, PutValue),
    ).because("Admitted, with the signatures that the contract asks for, it joins; refused, it is over."),
    on_timer(
        InitiatedState,
        timers.ADMISSION,
        admission.on_admission_due,
        then=(STAYS, FailedState),
        effects=(SendMessage, SetTimer, RecordFact, CancelTimer, PutValue),
    ).because("Nobody has answered: it is asked again, until the joining is over."),
    on_event(
        InitiatedState, Joined, progress.on_joined, effects=(StoreBlob, RecordFact, CancelTimer, PutValue)
    ).because(
        "An owner has a seat; with our own the data set is copied, and rows are looked at for the first time."
    ),
    on_event(
        InitiatedState,
        Closed,
        admission.on_closed,
        then=(STAYS, FailedState),
        effects=(SubmitCall, SetTimer, RecordFact, CancelTimer, PutValue),
    ).because(
        "The joining is over: the nonce is revealed, with which the roles are drawn; who was not admitted by "
        "now takes no part."
    ),
    on_event(InitiatedState, Revealed, drawing.on_revealed, effects=(SetTimer,)).because(
        "An owner keeps its seat: with the last one the roles are due."
    ),
    on_event(_UNDECIDED, Revealed, joining.on_revealed).because("An owner keeps its seat."),
    on_refusal(InitiatedState, Reveal, drawing.on_reveal_refused, effects=(RecordFact,)).because(
        "It came too late, or is another than what was joined with: the owner loses its seat."
    ),
    on_timer(InitiatedState, timers.DRAW, drawing.on_draw_due, effects=(SubmitCall, SetTimer)).because(
        "Neither aggregator nor buyer has had the roles drawn, or the training cancelled where too few "
        "revealed: an owner does."
    ),
    on_event(
        InitiatedState,
        RolesDrawn,
        progress.on_roles_drawn,
        then=(RunningState, FailedState),
        effects=(SendMessage, RecordFact, SetTimer, PutValue, CancelTimer),
    ).because(
        "With a role the owner says how many rows it has, and trains or validates; without a seat, where it "
        "lost its own or its data set has gone, it is over, and does not count."
    ),
    on_event(
        _UNDECIDED, RolesDrawn, joining.on_roles_drawn, then=FailedState, effects=(PutValue, CancelTimer)
    ).because("The training runs without this owner; one with a seat decides first."),
)

ROUNDS = (
    on_message(RunningState, TrainingStarted, progress.on_training_started, effects=(RecordFact,)).because(
        "The row counts fix the widths of all that follows."
    ),
    on_message(
        RunningState, EncryptedModel, trainer.on_encrypted_model, effects=(StoreBlob, SendMessage, RecordFact)
    ).because("A trainer takes its local steps; the same question gets the same answer."),
    on_message(
        RunningState, LocalModels, validator.on_local_models, effects=(StoreBlob, SendMessage)
    ).because("A validator checks the signed updates and has the buyer multiply their masked residuals."),
    on_message(RunningState, MetricProducts, validator.on_metric_products, effects=(SendMessage,)).because(
        "The masks are taken out, noise that cancels is added: the aggregator gets the metric."
    ),
    on_message(RunningState, OpeningRequest, validator.on_opening_request, effects=(StoreBlob,)).because(
        "All metrics are shown, this validator's own unchanged among them."
    ),
    on_message(
        RunningState, Opening, validator.on_opening, effects=(SendMessage, RecordFact, *ACCUSES)
    ).because(
        "The opening and the record are what this validator works out itself: it signs; a fault of the buyer "
        "that costs a bond is shown to the contract."
    ),
    on_message(RunningState, OpeningRefused, validator.on_opening_refused, effects=(RecordFact,)).because(
        "The sum is implausible: the attempt ends without numbers."
    ),
    on_message(
        RunningState, RoundSignature, recording.on_round_signature, effects=(SetTimer, CancelTimer, *ACCUSES)
    ).because(
        "Another validator has signed: with enough of them the record can be sent by whoever holds it."
    ),
    on_timer(RunningState, timers.RECORD, recording.on_record_due, effects=(SubmitCall, SetTimer)).because(
        "Aggregator and buyer have not sent the signed record: a validator does."
    ),
    on_refusal(RunningState, RecordRound, recording.on_record_refused).because(
        "Somebody else was first, or it is a little too early: it is tried again."
    ),
    on_event(
        RunningState,
        RoundRecorded,
        progress.on_round_recorded,
        effects=(RecordFact, SetTimer, CancelTimer),
    ).because("The chain has recorded a round: a validator that was left out of it goes on from there."),
    *(
        on_message(RunningState, kind, progress.on_notice, effects=(RecordFact,)).because(
            "For people: what follows from it comes from the chain."
        )
        for kind in _NOTICES
    ),
)

ENDING = (
    on_timer(_JOINED, timers.STALLED, stall.on_stalled, effects=(SubmitCall, SetTimer)).because(
        "Buyer and aggregator have left the training alone: an owner has the contract end it."
    ),
    on_refusal(RunningState, Settle, on_settle_refused, effects=(SubmitCall,)).because(
        "Perhaps a reorganisation took the recorded rounds back: then the training can be cancelled."
    ),
    on_event(
        RunningState,
        Settled,
        progress.on_settled,
        then=FinishedState,
        effects=(PutValue, SubmitCall, CancelTimer, SetTimer),
    ).because("The owner claims its pay and withdraws it; a validator keeps the last model for a while."),
    on_event(
        (WaitingState, ReadyState, InitiatedState, RunningState),
        Cancelled,
        progress.on_cancelled,
        then=FailedState,
        effects=(CancelTimer, PutValue, SubmitCall),
    ).because(
        "Once roles were drawn owners claim the price of leaving; the training counts if work was done."
    ),
    on_event(FailedState, Cancelled, progress.on_cancelled_without_us, effects=(SubmitCall,)).because(
        "An owner whose data set was gone has a role all the same, and its part of what leaving costs."
    ),
    on_training_gone(_JOINED, progress.on_gone, then=FailedState, effects=(CancelTimer, PutValue)).because(
        "A reorganisation took the opening back: nobody will pay."
    ),
    on_message(FinishedState, ModelRequest, serving.on_model_request, effects=(SendMessage,)).because(
        "The aggregator has not delivered the paid model: a validator does, or says that it has none."
    ),
    on_message(FinishedState, TrainingFailed, serving.on_given_up, effects=(RecordFact,)).because(
        "The notice has come after the settlement: it says whether the last recorded model is owed."
    ),
    on_timer(FinishedState, timers.RETENTION, progress.on_retention_over).because(
        "The model need not be kept any longer."
    ),
)

ROWS = JOINING + ROUNDS + ENDING
