"""The model buyer's transition table but for the rounds: what each phase allows, where it leads, and why."""

from protocol.marketplace import (
    Cancelled,
    Closed,
    Joined,
    Open,
    Opened,
    RecordRound,
    Revealed,
    RoundRecorded,
    Settle,
    Settled,
)
from protocol.messages import (
    AdmissionOrder,
    AdmissionRequest,
    Complaint,
    InformationSum,
    JoiningProgress,
    ModelRefused,
    ParticipantDropped,
    RequestAnswer,
    RoundCompleted,
    RoundSignature,
    StopOrder,
    TrainedModel,
    TrainingFailed,
    TrainingOrder,
)
from protocol.roles.buyer import admission, delivery, inference, ordering, recording
from protocol.roles.buyer.state import (
    CollectingState,
    FailedState,
    FinishedState,
    InitiatedState,
    OpenedState,
    OrderedState,
    RunningState,
)
from protocol.roles.engine import timers
from protocol.roles.engine.effects import (
    CancelTimer,
    KeepResult,
    PutValue,
    RecordFact,
    SendMessage,
    SetTimer,
    StoreBlob,
    SubmitCall,
)
from protocol.roles.engine.table import STAYS, on_event, on_message, on_refusal, on_timer, on_training_gone
from protocol.roles.shared.accusing import ACCUSES
from protocol.roles.shared.deadlines import on_settle_refused

_BEFORE_START = (OpenedState, InitiatedState)
_ON_CHAIN = (OpenedState, InitiatedState, RunningState)

ORDERING = (
    on_message(OrderedState, TrainingOrder, ordering.on_order, effects=(SubmitCall,)).because(
        "The order has its deposit paid, once."
    ),
    on_timer(OrderedState, timers.OPEN, ordering.on_opening_late, effects=(RecordFact, SetTimer)).because(
        "The transaction may still be under way: people are told, and the wait goes on."
    ),
    on_refusal(OrderedState, Open, ordering.on_open_refused, then=FailedState, effects=(RecordFact,)).because(
        "Without an opening there is no training."
    ),
    on_event(
        OrderedState,
        Opened,
        ordering.on_opened,
        then=OpenedState,
        effects=(SendMessage, CancelTimer, SetTimer, RecordFact, PutValue),
    ).because("The deposit stands: the aggregator gets the request and the key."),
    on_message(
        _BEFORE_START, RequestAnswer, ordering.on_request_answer, effects=(CancelTimer, SubmitCall)
    ).because("The aggregator takes the training on; or it refuses, and the deposit is asked for."),
    on_message(
        _BEFORE_START, JoiningProgress, ordering.on_joining_progress, effects=(RecordFact, SubmitCall)
    ).because("People are told; where too few owners are left to come the deposit is asked for."),
    on_message(
        _BEFORE_START, AdmissionRequest, admission.on_admission_request, effects=(RecordFact, SendMessage)
    ).because("The policy decides about an owner that the aggregator admits, or a person is asked."),
    on_message(
        _BEFORE_START, AdmissionOrder, admission.on_admission_order, effects=(RecordFact, SendMessage)
    ).because("A person has decided about an owner that waits."),
    on_timer(OpenedState, timers.ANSWER, ordering.on_silence_before_start, effects=(SubmitCall,)).because(
        "The aggregator is silent: the deposit is asked for."
    ),
    on_timer(_BEFORE_START, timers.JOIN, ordering.on_join_over, effects=(SubmitCall, SetTimer)).because(
        "Too few owners came, or no roles were drawn: the deposit is asked for until the contract gives it."
    ),
    on_message(_BEFORE_START, StopOrder, ordering.on_stop, effects=(SubmitCall,)).because(
        "The operator wants no training: the deposit is asked for."
    ),
    on_message(
        _BEFORE_START, TrainingFailed, ordering.on_failed_before_start, effects=(RecordFact, SubmitCall)
    ).because("The aggregator will not start: the deposit is asked for."),
    on_event(_BEFORE_START, Joined, ordering.on_joined, then=InitiatedState, effects=(CancelTimer,)).because(
        "An owner has a seat."
    ),
    on_event(InitiatedState, Closed, ordering.on_closed, effects=(SetTimer, RecordFact)).because(
        "The joining is over: owners reveal the nonces that draw the roles, and nobody waits to be admitted."
    ),
    on_event(InitiatedState, Revealed, ordering.on_revealed, effects=(SetTimer,)).because(
        "An owner keeps its seat: with the last one the roles are due."
    ),
    on_timer(InitiatedState, timers.DRAW, ordering.on_draw_due, effects=(SubmitCall, SetTimer)).because(
        "The aggregator has not had the roles drawn, or the training cancelled where too few revealed: the "
        "buyer does."
    ),
)

RECORDING = (
    on_message(
        RunningState, RoundSignature, recording.on_round_signature, effects=(SetTimer, CancelTimer, *ACCUSES)
    ).because("A validator has signed: with enough of them the record can be sent by whoever holds it."),
    on_timer(RunningState, timers.RECORD, recording.on_record_due, effects=(SubmitCall, SetTimer)).because(
        "The aggregator has not sent the signed record in half of the round's time: the buyer does."
    ),
    on_refusal(RunningState, RecordRound, recording.on_record_refused).because(
        "Somebody else was first, or it is a little too early: it is tried again."
    ),
    on_event(
        RunningState,
        RoundRecorded,
        recording.on_round_recorded,
        effects=(RecordFact, SetTimer, CancelTimer),
    ).because("The chain has recorded a round: the contract waits for the next."),
    on_message(RunningState, RoundCompleted, delivery.on_notice, effects=(RecordFact,)).because(
        "For people: the chain has said the same."
    ),
    on_message(RunningState, ParticipantDropped, delivery.on_notice, effects=(RecordFact,)).because(
        "For people."
    ),
    on_message(RunningState, Complaint, delivery.on_notice, effects=(RecordFact,)).because("For people."),
)

ENDING = (
    on_message(RunningState, StopOrder, delivery.on_stop, effects=(RecordFact,)).because(
        "The buyer answers nothing more: what was recorded will be settled."
    ),
    on_message(RunningState, TrainingFailed, delivery.on_failed_notice, effects=(RecordFact,)).because(
        "The reason is kept; the end comes from the chain."
    ),
    on_timer(RunningState, timers.STALLED, delivery.on_stalled, effects=(SubmitCall, SetTimer)).because(
        "Nothing has moved for longer than the contract waits: anybody may end the training."
    ),
    on_refusal(RunningState, Settle, on_settle_refused, effects=(SubmitCall,)).because(
        "Perhaps a reorganisation took the recorded rounds back: then the training can be cancelled."
    ),
    on_event(
        RunningState,
        Settled,
        delivery.on_settled,
        then=(CollectingState, FailedState),
        effects=(RecordFact, SubmitCall, CancelTimer, SetTimer),
    ).because(
        "The deposit is divided; the model follows unless the buyer, or want of owners, ended it early."
    ),
    on_event(
        _ON_CHAIN,
        Cancelled,
        delivery.on_cancelled,
        then=FailedState,
        effects=(RecordFact, SubmitCall, CancelTimer),
    ).because("The deposit is back."),
    on_training_gone(
        _ON_CHAIN, delivery.on_gone, then=FailedState, effects=(RecordFact, CancelTimer)
    ).because("A reorganisation took the opening back: nothing is left to end on the chain."),
    on_message(
        CollectingState,
        TrainedModel,
        delivery.on_trained_model,
        then=FinishedState,
        effects=(KeepResult, SendMessage, CancelTimer, RecordFact, SetTimer),
    ).because("The recorded model is decrypted and kept; its standard errors are waited for, if asked for."),
    on_timer(
        CollectingState,
        timers.MODEL,
        delivery.on_model_late,
        then=(STAYS, FailedState),
        effects=(SendMessage, SetTimer, RecordFact),
    ).because("The validators are asked in turn, until nobody needs to hold the model any more."),
    on_message(
        CollectingState, ModelRefused, delivery.on_model_refused, effects=(SendMessage, SetTimer)
    ).because("A validator does not have the model: the next one is asked."),
    on_message(FinishedState, TrainedModel, delivery.on_model_again, effects=(SendMessage,)).because(
        "The aggregator has missed the receipt: it gets it again."
    ),
    on_message(
        FinishedState,
        InformationSum,
        inference.on_information_sum,
        effects=(KeepResult, RecordFact, CancelTimer, StoreBlob),
    ).because(
        "With both checkers' sums standard errors are worked out; else people are told what each says."
    ),
    on_timer(
        FinishedState,
        timers.INFORMATION,
        inference.on_information_late,
        effects=(KeepResult, RecordFact),
    ).because("A checker has not answered: people are told, and the model waits for its standard errors."),
)
