"""The rows of the model buyer's transition table for the rounds, and with them the whole table."""

from protocol.marketplace import RolesDrawn
from protocol.messages.rounds import (
    AttemptAnnounced,
    CheckedStarted,
    MetricOpeningRequest,
    MomentRequest,
    ProjectionRequest,
    RingOpeningRequest,
    ZeroTestEvidenceRequest,
    ZeroTestRequest,
)
from protocol.roles.buyer import ordering, table
from protocol.roles.buyer.rounds import checks, exchanges, finding, folds, opening
from protocol.roles.buyer.rounds.exchanges import unless_stopped
from protocol.roles.buyer.state import InitiatedState, RunningState
from protocol.roles.engine.effects import CancelTimer, RecordFact, SendMessage, SetTimer, StoreBlob
from protocol.roles.engine.table import on_event, on_message
from protocol.roles.rounds.folds import of_its_fold

CHECKED_ROUNDS = (
    on_event(
        InitiatedState,
        RolesDrawn,
        ordering.on_roles_drawn,
        then=RunningState,
        effects=(CancelTimer, SetTimer),
    ).because("The roles are drawn, also where a cancelling came too late: the training runs."),
    on_event(RunningState, RolesDrawn, folds.on_next_fold).because(
        "A fold is over: the next one begins at the public start, under other roles."
    ),
    on_message(RunningState, CheckedStarted, exchanges.on_checked_started, effects=(RecordFact,)).because(
        "What the owners committed to fixes the widths and weights of all that follows."
    ),
    on_message(
        RunningState,
        MomentRequest,
        unless_stopped(exchanges.on_moment_request),
        effects=(SendMessage,),
    ).because("The masked weights of a round's models are multiplied, once for each attempt."),
    on_message(RunningState, AttemptAnnounced, exchanges.on_attempt_announced, effects=(RecordFact,)).because(
        "Who takes part in an attempt: from it follow the two checkers, whom the buyer answers."
    ),
    on_message(
        RunningState,
        ProjectionRequest,
        unless_stopped(checks.on_projection_request),
        effects=(StoreBlob, SendMessage),
    ).because("A checker's masked combinations are multiplied, once."),
    on_message(
        RunningState,
        ZeroTestRequest,
        unless_stopped(checks.on_zero_test_request),
        effects=(SendMessage,),
    ).because("Whether a test is zero, if the other checker has signed that all may ask it."),
    on_message(
        RunningState,
        RingOpeningRequest,
        unless_stopped(checks.on_ring_opening_request),
        effects=(SendMessage,),
    ).because("Masked sums are opened, if all makers have signed: a next model's, or of trainers' ranges."),
    on_message(
        RunningState,
        ZeroTestEvidenceRequest,
        unless_stopped(finding.on_evidence_request),
        effects=(SendMessage,),
    ).because("What a denied test is, is shown with proof: whoever answered falsely is named."),
    on_message(
        RunningState,
        MetricOpeningRequest,
        unless_stopped(opening.on_metric_opening_request),
        effects=(SendMessage, SetTimer, RecordFact),
    ).because("A round's errors are opened under noise, once, and the record signed; or are implausible."),
)

ROWS = table.ORDERING + tuple(map(of_its_fold, CHECKED_ROUNDS)) + table.RECORDING + table.ENDING
