"""The rows of the data owner's transition table for commitments and rounds, and with them the whole table."""

from protocol.marketplace import Joined, RolesDrawn, RoundRecorded
from protocol.messages import (
    EncryptedModel,
    Invitation,
    Opening,
    OpeningRefused,
    OwnerDecision,
)
from protocol.messages.rounds import (
    CheckedStarted,
    CheckVerdict,
    OpeningRelayed,
    ProjectionAnswer,
    RangesAsked,
    RingCommitted,
    RingNonce,
    RingOpening,
    RingShared,
    RoundEvidence,
    ShownMetrics,
    ShownNoise,
    ZeroTestConsent,
    ZeroTestResult,
    ZeroTestShown,
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
from protocol.roles.engine.table import STAYS, on_change, on_event, on_message, on_timer
from protocol.roles.owner import admission, commitments, table
from protocol.roles.owner.rounds import (
    folds,
    metric,
    next_model,
    projection,
    ranges,
    relayed,
    rings,
    signing,
    trainer,
    validator,
)
from protocol.roles.owner.state import (
    DeclinedState,
    FailedState,
    InitiatedState,
    ReadyState,
    RunningState,
    WaitingState,
)
from protocol.roles.rounds.folds import of_its_fold
from protocol.roles.shared.accusing import ACCUSES

_UNDECIDED = (WaitingState, ReadyState)
_CONSIDERED = (WaitingState, ReadyState, InitiatedState, DeclinedState, FailedState)
_NOTED = (SetTimer, CancelTimer, RecordFact, SendMessage, PutValue)
_COMMITTING = (*_NOTED, StoreBlob, SubmitCall)
_CHECKS = (SendMessage, StoreBlob)
_ANSWERS = (SendMessage, RecordFact)
_TESTS = (*_CHECKS, RecordFact)
"""The effects of what may have a checker find an attempt not in order."""

JOINING = (
    on_message(
        WaitingState, Invitation, commitments.on_invitation, then=_CONSIDERED, effects=_COMMITTING
    ).because(
        "What the opening paid for is matched with the data sets and decided by the policy, or a person; who "
        "joins commits first to what it would do in either role."
    ),
    on_change(
        _UNDECIDED, CatalogueChanged, commitments.on_reconsidered, then=_CONSIDERED, effects=_COMMITTING
    ).because("Another data set may match."),
    on_change(
        _UNDECIDED, PolicyChanged, commitments.on_reconsidered, then=_CONSIDERED, effects=_COMMITTING
    ).because("Another policy may decide."),
    on_message(
        ReadyState,
        OwnerDecision,
        commitments.on_decision,
        then=(STAYS, InitiatedState, DeclinedState, FailedState),
        effects=_COMMITTING,
    ).because("A person decides; with its yes the owner commits."),
    on_event(
        _UNDECIDED, Joined, commitments.on_seat_before_decision, then=_CONSIDERED, effects=_NOTED
    ).because("An owner has a seat; what our own was taken with is lost with the state in which it was."),
    on_timer(
        InitiatedState,
        timers.ADMISSION,
        admission.on_admission_due,
        then=(STAYS, FailedState),
        effects=(SendMessage, SetTimer, RecordFact, CancelTimer, PutValue),
    ).because("Nobody has answered: it is asked again, with the same commitments."),
    on_event(
        InitiatedState, Joined, commitments.on_joined, effects=(RecordFact, CancelTimer, PutValue)
    ).because("An owner has a seat; in our own we are bound to the rows that were committed to."),
    on_event(
        InitiatedState,
        RolesDrawn,
        commitments.on_roles_drawn,
        then=(RunningState, FailedState),
        effects=(SendMessage, RecordFact, SetTimer, PutValue, CancelTimer),
    ).because("With a role the owner shows its commitments; without one, or what opens them, it is over."),
)

TRAINING = (
    on_message(
        RunningState, CheckedStarted, commitments.on_checked_started, effects=(StoreBlob, RecordFact)
    ).because("What everybody committed to, as the chain has the digests of it, fixes all that follows."),
    on_message(
        RunningState, EncryptedModel, trainer.on_encrypted_model, effects=(*_CHECKS, RecordFact)
    ).because("A trainer applies its committed map and proves it; one model for a round."),
)

CHECKING = (
    on_message(RunningState, RoundEvidence, validator.on_round_evidence, effects=_TESTS).because(
        "A member looks through it and proves its metric; a checker asks its question and commits to shares."
    ),
    on_message(RunningState, ProjectionAnswer, projection.on_projection_answer, effects=_TESTS).because(
        "The zero test of the products is shown to the other checker, with its seeds."
    ),
    on_message(RunningState, ZeroTestShown, projection.on_zero_test_shown, effects=_TESTS).because(
        "The other checker's test is signed where its seeds make it; or shown to everybody as another."
    ),
    on_message(RunningState, ZeroTestConsent, projection.on_zero_test_consent, effects=_CHECKS).because(
        "With the other's signature the buyer may open the test."
    ),
    on_message(RunningState, ZeroTestResult, projection.on_zero_test_result, effects=_ANSWERS).because(
        "The products are those of the updates, or they are not."
    ),
    on_message(RunningState, RingCommitted, rings.on_ring_committed, effects=_TESTS).because(
        "With all three commitments nonces are shown; where none are needed, shares."
    ),
    on_message(RunningState, RingNonce, rings.on_ring_nonce, effects=_TESTS).because(
        "With both nonces the vectors are drawn, and nobody can choose any more: shares are shown."
    ),
    on_message(RunningState, RingShared, rings.on_ring_shared, effects=_TESTS).because(
        "With all shares, the one before ours held against its seed, the next model's check may be opened."
    ),
    on_message(RunningState, RingOpening, next_model.on_ring_opening, effects=_TESTS).because(
        "The next model is in range, or it is not; errors that were named are opened after trainers' ranges."
    ),
    on_message(RunningState, OpeningRelayed, relayed.on_opening_relayed, effects=_TESTS).because(
        "What the buyer has opened to the aggregator, it has opened to every checker."
    ),
    on_message(RunningState, RangesAsked, ranges.on_ranges_asked, effects=_CHECKS).because(
        "The buyer's own word is against the attempt: a checker commits to a share over all updates."
    ),
    on_message(RunningState, CheckVerdict, validator.on_check_verdict, effects=(RecordFact,)).because(
        "A checker's word, which counts where the aggregator shows two that agree."
    ),
)

MEASURING = (
    on_message(RunningState, ShownMetrics, metric.on_shown_metrics, effects=_CHECKS).because(
        "All proofs hold, and two checkers agree: the metrics are multiplied; checkers make noise."
    ),
    on_message(RunningState, ShownNoise, metric.on_shown_noise, effects=_CHECKS).because(
        "The product with its noise is what we have formed ourselves: the buyer may open it."
    ),
    on_message(
        RunningState, Opening, signing.on_opening, effects=(SendMessage, RecordFact, *ACCUSES)
    ).because("The opening and the record are what this member works out itself: it signs."),
    on_message(RunningState, OpeningRefused, signing.on_opening_refused, effects=(RecordFact,)).because(
        "The errors are implausible: the attempt ends without numbers."
    ),
    on_event(
        RunningState,
        RoundRecorded,
        signing.on_round_recorded,
        effects=(RecordFact, SetTimer, CancelTimer),
    ).because("The chain has recorded a round: a member that did not sign it goes on from there."),
    on_event(RunningState, RolesDrawn, folds.on_next_fold, effects=(RecordFact,)).because(
        "A fold is over: the next one begins at the public start, under other roles."
    ),
)

ROWS = (
    *JOINING,
    *map(of_its_fold, (*TRAINING, *CHECKING, *MEASURING)),
    *table.JOINING,
    *table.RECORDING,
    *table.ENDING,
)
