"""The rows of the aggregator's transition table for the phase of the rounds."""

from protocol.marketplace import RecordRound, RoundRecorded
from protocol.messages import (
    EncryptedMetric,
    GradientUpdate,
    Opening,
    OpeningRefused,
    RefreshAnswer,
    RoundSignature,
)
from protocol.roles.aggregator import evaluation, pipeline, signing, training
from protocol.roles.aggregator.pipeline import advancing
from protocol.roles.aggregator.state import EndingState, SettlingState, TrainingState
from protocol.roles.engine import timers
from protocol.roles.engine.effects import (
    CancelTimer,
    RecordFact,
    SendMessage,
    SetTimer,
    StoreBlob,
    SubmitCall,
)
from protocol.roles.engine.table import STAYS, on_event, on_message, on_refusal, on_timer
from protocol.roles.shared.accusing import ACCUSES

GIVES_UP = (SendMessage, SetTimer, RecordFact)
"""The effects of giving a training up; the start of a round has the same."""

TRAINING_LANE = (
    on_message(
        TrainingState,
        GradientUpdate,
        training.on_gradient_update,
        effects=(StoreBlob, SendMessage, CancelTimer, SetTimer, RecordFact),
    ).because("With the last update the buyer is asked for a fresh encryption of their masked sum."),
    on_timer(
        TrainingState,
        timers.UPDATES,
        training.on_updates_late,
        then=(STAYS, EndingState),
        effects=(StoreBlob, CancelTimer, *GIVES_UP),
    ).because("Silent trainers are left out; with fewer than two others the training ends."),
    on_message(
        TrainingState,
        RefreshAnswer,
        advancing(training.on_refresh_answer),
        then=(STAYS, EndingState),
        effects=(StoreBlob, CancelTimer, *GIVES_UP),
    ).because("The round has its model: it can be measured, and the next round trained on it."),
    on_timer(
        TrainingState, timers.REFRESH, training.on_refresh_late, then=(STAYS, EndingState), effects=GIVES_UP
    ).because("The buyer is silent: what was recorded is settled."),
)

EVALUATION_LANE = (
    on_message(
        TrainingState,
        EncryptedMetric,
        evaluation.on_encrypted_metric,
        effects=(StoreBlob, SendMessage, CancelTimer, SetTimer, RecordFact),
    ).because("With the last metric the buyer is asked to open their product."),
    on_timer(
        TrainingState, timers.METRICS, evaluation.on_metrics_late, then=(STAYS, EndingState), effects=GIVES_UP
    ).because(
        "Silent validators are left out of a next attempt; with too few others to sign the training ends."
    ),
    on_message(TrainingState, Opening, signing.on_opening, effects=(CancelTimer, SetTimer, *ACCUSES)).because(
        "The buyer's record follows from its opening: the validators' signatures are due."
    ),
    on_message(
        TrainingState, OpeningRefused, signing.on_opening_refused, then=EndingState, effects=GIVES_UP
    ).because("The sum is implausible: nothing of the round may be published."),
    on_timer(
        TrainingState, timers.OPENING, signing.on_opening_late, then=(STAYS, EndingState), effects=GIVES_UP
    ).because("The buyer is silent: what was recorded is settled."),
    on_message(
        TrainingState,
        RoundSignature,
        advancing(signing.on_round_signature),
        then=(STAYS, EndingState),
        effects=(SubmitCall, CancelTimer, *GIVES_UP, *ACCUSES),
    ).because("With a majority of signatures the record goes to the chain."),
    on_timer(
        TrainingState,
        timers.SIGNATURES,
        signing.on_signatures_late,
        then=(STAYS, EndingState),
        effects=GIVES_UP,
    ).because("Without a majority of signatures the round cannot be recorded."),
)

RECORDING = (
    on_event(
        TrainingState,
        RoundRecorded,
        advancing(pipeline.on_round_recorded),
        then=(STAYS, SettlingState, EndingState),
        effects=(SubmitCall, CancelTimer, *GIVES_UP),
    ).because("Everybody is told the round's public numbers, whoever sent its record; the last is settled."),
    on_refusal(
        TrainingState, RecordRound, pipeline.on_record_refused, then=EndingState, effects=GIVES_UP
    ).because("Rounds are recorded in order: after this one none can follow."),
    on_timer(TrainingState, timers.STALLED, pipeline.on_stalled, then=EndingState, effects=GIVES_UP).because(
        "No round was recorded for as long as the contract waits."
    ),
)

ROUND_ROWS = (*TRAINING_LANE, *EVALUATION_LANE, *RECORDING)
