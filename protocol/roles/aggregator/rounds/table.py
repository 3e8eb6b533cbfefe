"""The rows of the aggregator's transition table for commitments and rounds, and with them the whole table."""

from protocol.marketplace import Closed, RecordRound, RolesDrawn, RoundRecorded
from protocol.messages import Opening, OpeningRefused, RoundSignature, TrainingRequest
from protocol.messages.rounds import (
    CheckedReady,
    CheckVerdict,
    MetricConsent,
    MomentAnswer,
    ProvenMetric,
    ProvenUpdate,
    RingCommitted,
    RingConsent,
    RingNonce,
    RingOpening,
    RingShared,
    ZeroTestEvidence,
)
from protocol.roles.aggregator import drawing, joining, recording, signing, table
from protocol.roles.aggregator.rounds import (
    agreeing,
    checking,
    folds,
    moments,
    ranges,
    rings,
    starting,
    training,
)
from protocol.roles.aggregator.rounds.pipeline import advancing
from protocol.roles.aggregator.state import (
    DrawingState,
    EndingState,
    FailedState,
    InvitingState,
    RequestedState,
    SettlingState,
    TrainingState,
)
from protocol.roles.aggregator.table import GIVES_UP
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
from protocol.roles.engine.table import STAYS, Row, on_event, on_message, on_refusal, on_timer
from protocol.roles.rounds.folds import of_its_fold
from protocol.roles.shared.accusing import ACCUSES

_MOVES = (StoreBlob, CancelTimer, *GIVES_UP)
"""The effects of most steps of a round: any of them may be the last one before a lane goes on, or ends."""

_ENDS = (STAYS, EndingState)


REQUEST = (
    on_message(
        RequestedState,
        TrainingRequest,
        joining.on_training_request,
        then=(InvitingState, FailedState),
        effects=(StoreBlob, SendMessage, CancelTimer, SetTimer, RecordFact),
    ).because("The request is as the chain says: owners are invited; a fault is answered with its code."),
)

DRAWING = (
    on_event(
        InvitingState,
        Closed,
        drawing.on_closed,
        then=DrawingState,
        effects=(CancelTimer, SetTimer, PutValue),
    ).because("The joining is over: owners reveal the nonces that draw the roles."),
    on_event(
        DrawingState,
        RolesDrawn,
        advancing(starting.on_roles_drawn),
        then=(STAYS, TrainingState, EndingState),
        effects=_MOVES,
    ).because("The roles are drawn: the first round starts, or waits for commitments that are due."),
    on_message(
        DrawingState,
        CheckedReady,
        advancing(starting.on_checked_ready),
        then=(STAYS, TrainingState, EndingState),
        effects=_MOVES,
    ).because("With the last owner's commitments the first round starts."),
    on_timer(
        DrawingState,
        timers.ROWS,
        advancing(starting.on_rows_late),
        then=(STAYS, TrainingState, EndingState),
        effects=_MOVES,
    ).because("Owners that have not shown what they committed to are left out."),
    on_message(
        TrainingState, CheckedReady, starting.on_late_ready, effects=(SendMessage, RecordFact)
    ).because("The training has started without this owner."),
)

TRAINING_LANE = (
    on_message(
        TrainingState,
        ProvenUpdate,
        training.on_proven_update,
        then=_ENDS,
        effects=_MOVES,
    ).because("With the last update all proofs are verified, and the buyer is asked for the moments."),
    on_timer(
        TrainingState,
        timers.UPDATES,
        training.on_updates_late,
        then=_ENDS,
        effects=_MOVES,
    ).because("Silent trainers are left out; with fewer than two others the training ends."),
    on_message(
        TrainingState,
        MomentAnswer,
        advancing(checking.on_moment_answer),
        then=_ENDS,
        effects=_MOVES,
    ).because("The round has its model and can be measured; or a further attempt's members are shown it."),
    on_timer(
        TrainingState,
        timers.MOMENTS,
        moments.on_moments_late,
        then=_ENDS,
        effects=GIVES_UP,
    ).because("The buyer is silent: what was recorded is settled."),
)

CHECKING = (
    on_message(
        TrainingState,
        ProvenMetric,
        checking.on_proven_metric,
        then=_ENDS,
        effects=_MOVES,
    ).because("With the last metric all proofs are verified; with both verdicts all are shown to all."),
    on_message(
        TrainingState,
        CheckVerdict,
        checking.on_check_verdict,
        then=_ENDS,
        effects=_MOVES,
    ).because("Two verdicts in order let the round be measured; one that is not ends the attempt."),
    on_timer(
        TrainingState,
        timers.CHECKS,
        checking.on_checks_late,
        then=_ENDS,
        effects=_MOVES,
    ).because("A next attempt is made without those who are silent, while enough remain."),
    on_message(TrainingState, RingCommitted, rings.on_ring_committed, then=_ENDS, effects=_MOVES).because(
        "A checker commits to its share of a ring, or to something else than all were shown."
    ),
    on_message(TrainingState, RingNonce, rings.on_ring_nonce, effects=(StoreBlob, SendMessage)).because(
        "A checker shows its nonce: vectors follow from both."
    ),
    on_message(TrainingState, RingShared, rings.on_ring_shared, then=_ENDS, effects=_MOVES).because(
        "With the last share the product is formed."
    ),
    on_message(TrainingState, RingConsent, rings.on_ring_consent, then=_ENDS, effects=_MOVES).because(
        "With both signatures the buyer opens the sums."
    ),
    on_message(TrainingState, ZeroTestEvidence, ranges.on_evidence, then=_ENDS, effects=_MOVES).because(
        "The buyer has answered falsely or denied a zero; or the trainers' ranges are opened."
    ),
    on_message(TrainingState, RingOpening, ranges.on_ring_opening, then=_ENDS, effects=_MOVES).because(
        "A trainer is out of range; or all are in theirs, and it is the buyer; or errors that it has named "
        "are opened next, and then the round is repeated without them."
    ),
)

OPENING = (
    on_message(
        TrainingState,
        MetricConsent,
        agreeing.on_metric_consent,
        effects=(SendMessage, CancelTimer, SetTimer),
    ).because("With all members' signatures the buyer opens the product under noise."),
    on_timer(
        TrainingState,
        timers.CONSENTS,
        agreeing.on_consents_late,
        then=_ENDS,
        effects=_MOVES,
    ).because("A next attempt is made without those who have not signed, while enough remain."),
    on_message(
        TrainingState, Opening, agreeing.on_opening, effects=(CancelTimer, SetTimer, *ACCUSES)
    ).because("The buyer's record follows from its opening: the members' signatures are due."),
    on_message(TrainingState, OpeningRefused, ranges.on_opening_refused, then=_ENDS, effects=_MOVES).because(
        "The errors are implausible and may not be published: the trainers' ranges are opened."
    ),
    on_timer(
        TrainingState,
        timers.OPENING,
        signing.on_opening_late,
        then=_ENDS,
        effects=GIVES_UP,
    ).because("The buyer is silent: what was recorded is settled."),
    on_message(
        TrainingState,
        RoundSignature,
        advancing(signing.on_round_signature),
        then=_ENDS,
        effects=(SubmitCall, CancelTimer, *GIVES_UP, *ACCUSES),
    ).because("With a majority of signatures the record goes to the chain."),
    on_timer(
        TrainingState,
        timers.SIGNATURES,
        signing.on_signatures_late,
        then=_ENDS,
        effects=GIVES_UP,
    ).because("Without a majority of signatures the round cannot be recorded."),
)

RECORDING = (
    on_event(
        TrainingState,
        RoundRecorded,
        advancing(recording.on_round_recorded),
        then=(STAYS, SettlingState, EndingState),
        effects=(SubmitCall, *_MOVES),
    ).because("Everybody is told the round's public numbers, and the next one may be measured."),
    on_event(TrainingState, RolesDrawn, advancing(folds.on_next_fold), then=_ENDS, effects=_MOVES).because(
        "A fold is over: the next one begins at the public start, under other roles."
    ),
    on_refusal(
        TrainingState, RecordRound, recording.on_record_refused, then=EndingState, effects=GIVES_UP
    ).because("Rounds are recorded in order: after this one none can follow."),
    on_timer(TrainingState, timers.STALLED, recording.on_stalled, then=EndingState, effects=GIVES_UP).because(
        "No round was recorded for as long as the contract waits."
    ),
)

ROWS: tuple[Row, ...] = (
    *table.REQUEST,
    *REQUEST,
    *table.JOINING,
    *table.DRAWING,
    *DRAWING,
    *map(of_its_fold, (*TRAINING_LANE, *CHECKING, *OPENING, *RECORDING)),
    *table.SETTLEMENT,
    *table.ENDING,
)
