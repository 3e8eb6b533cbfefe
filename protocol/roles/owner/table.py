"""The data owner's transition table but for the rounds and what is committed to for them."""

from protocol.marketplace import (
    Cancelled,
    Closed,
    Join,
    Opened,
    RecordRound,
    Reveal,
    Revealed,
    RolesDrawn,
    Settle,
    Settled,
)
from protocol.messages import (
    AdmissionAnswer,
    Complaint,
    InformationShare,
    Invitation,
    ModelRequest,
    ParticipantDropped,
    RoundCompleted,
    RoundSignature,
    TrainingFailed,
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
from protocol.roles.engine.table import (
    STAYS,
    on_event,
    on_message,
    on_refusal,
    on_timer,
    on_training_gone,
)
from protocol.roles.owner import (
    admission,
    drawing,
    inference,
    joining,
    progress,
    recording,
    serving,
    stall,
)
from protocol.roles.owner.state import (
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
    on_message(ReadyState, Invitation, joining.on_invitation).because(
        "An owner is invited once: another invitation is refused."
    ),
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
    on_message(
        InitiatedState,
        AdmissionAnswer,
        admission.on_admission_answer,
        then=(STAYS, FailedState),
        effects=(SubmitCall, RecordFact, CancelTimer, PutValue),
    ).because("Admitted, with the signatures that the contract asks for, it joins; refused, it is over."),
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
        _UNDECIDED, RolesDrawn, joining.on_roles_drawn, then=FailedState, effects=(PutValue, CancelTimer)
    ).because("The training runs without this owner; one with a seat decides first."),
)

RECORDING = (
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
        effects=(PutValue, SubmitCall, CancelTimer, SetTimer, SendMessage),
    ).because(
        "The owner claims its pay and withdraws it; a validator keeps the last model for a while; trainers "
        "share their information where standard errors were asked for."
    ),
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
    on_message(
        FinishedState,
        InformationShare,
        inference.on_information_share,
        effects=(SendMessage, CancelTimer, StoreBlob),
    ).because("A checker adds the trainers' shares; the buyer gets the sum of all."),
    on_timer(
        FinishedState, timers.INFORMATION, inference.on_information_late, effects=(SendMessage,)
    ).because("A trainer has sent no share yet: there is no sum, and the buyer is told whose is missing."),
    on_timer(FinishedState, timers.RETENTION, progress.on_retention_over).because(
        "Neither the model nor shares need be kept any longer."
    ),
)
