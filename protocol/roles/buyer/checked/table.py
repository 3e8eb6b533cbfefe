"""The rows of the model buyer's transition table for the rounds, and with them the whole table."""

from protocol.marketplace import RolesDrawn
from protocol.messages.checked import (
    AttemptAnnounced,
    CheckedStarted,
    MetricOpeningRequest,
    MomentRequest,
    ProjectionRequest,
    RingOpeningRequest,
    ZeroTestEvidenceRequest,
    ZeroTestRequest,
)
from protocol.roles.buyer import table
from protocol.roles.buyer.checked import checks, finding, opening, rounds
from protocol.roles.buyer.checked.rounds import unless_stopped
from protocol.roles.buyer.checked.state import CheckedRunningState
from protocol.roles.buyer.state import InitiatedState
from protocol.roles.engine.effects import CancelTimer, RecordFact, SendMessage, SetTimer, StoreBlob
from protocol.roles.engine.table import on_event, on_message

CHECKED_ROUNDS = (
    on_event(
        InitiatedState,
        RolesDrawn,
        rounds.on_roles_drawn,
        then=CheckedRunningState,
        effects=(CancelTimer, SetTimer),
    ).because("The roles are drawn, also where a cancelling came too late: the training runs."),
    on_message(CheckedRunningState, CheckedStarted, rounds.on_checked_started, effects=(RecordFact,)).because(
        "What the owners committed to fixes the widths and weights of all that follows."
    ),
    on_message(
        CheckedRunningState,
        MomentRequest,
        unless_stopped(rounds.on_moment_request),
        effects=(SendMessage,),
    ).because("The masked weights of a round's models are multiplied, once for each attempt."),
    on_message(
        CheckedRunningState, AttemptAnnounced, rounds.on_attempt_announced, effects=(RecordFact,)
    ).because("Who takes part in an attempt: from it follow the two checkers, whom the buyer answers."),
    on_message(
        CheckedRunningState,
        ProjectionRequest,
        unless_stopped(checks.on_projection_request),
        effects=(StoreBlob, SendMessage),
    ).because("A checker's masked combinations are multiplied, once."),
    on_message(
        CheckedRunningState,
        ZeroTestRequest,
        unless_stopped(checks.on_zero_test_request),
        effects=(SendMessage,),
    ).because("Whether a test is zero, if the other checker has signed that all may ask it."),
    on_message(
        CheckedRunningState,
        RingOpeningRequest,
        unless_stopped(checks.on_ring_opening_request),
        effects=(SendMessage,),
    ).because("Masked sums are opened, if all makers have signed: a next model's, or of trainers' ranges."),
    on_message(
        CheckedRunningState,
        ZeroTestEvidenceRequest,
        unless_stopped(finding.on_evidence_request),
        effects=(SendMessage,),
    ).because("What a denied test is, is shown with proof: whoever answered falsely is named."),
    on_message(
        CheckedRunningState,
        MetricOpeningRequest,
        unless_stopped(opening.on_metric_opening_request),
        effects=(SendMessage, SetTimer, RecordFact),
    ).because("A round's errors are opened under noise, once, and the record signed; or are implausible."),
)

ROWS = table.ORDERING + CHECKED_ROUNDS + table.RECORDING + table.ENDING
