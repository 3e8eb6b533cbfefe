"""The aggregator's transition table but for what is committed to and the rounds."""

from protocol.marketplace import (
    Cancelled,
    Closed,
    Joined,
    Opened,
    Revealed,
    RolesDrawn,
    RoundRecorded,
    Settle,
    Settled,
)
from protocol.messages import (
    AdmissionAnswer,
    InvitationAnswer,
    ModelReceived,
    StopOrder,
)
from protocol.roles.aggregator import admission, drawing, ending, joining, settlement
from protocol.roles.aggregator.state import (
    DoneState,
    DrawingState,
    EndingState,
    FailedState,
    InvitingState,
    RequestedState,
    SettlingState,
    TrainingState,
)
from protocol.roles.engine import timers
from protocol.roles.engine.effects import (
    CancelTimer,
    PutValue,
    RecordFact,
    SendMessage,
    SetTimer,
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
from protocol.roles.shared.deadlines import on_settle_refused

GIVES_UP = (SendMessage, SetTimer, RecordFact)
"""The effects of giving a training up; the start of a round has the same."""

CALLS_AGAIN = (SubmitCall, SetTimer)
CLOSES = (*CALLS_AGAIN, PutValue)
"""The aggregator may deposit its bond with it."""

REQUEST = (
    on_event(RequestedState, Opened, joining.on_opened, effects=(CancelTimer, SetTimer)).because(
        "The deposit is on chain: the buyer's request is due."
    ),
    on_timer(RequestedState, timers.OPENED, joining.on_never_opened, then=FailedState).because(
        "A request came that no opening on chain has followed."
    ),
    on_timer(
        RequestedState,
        timers.REQUEST,
        joining.on_request_late,
        then=(EndingState, FailedState),
        effects=GIVES_UP,
    ).because(
        "The buyer says nothing after its opening: its deposit is to go back; where for long only the buyer "
        "can have that done, it is left to it."
    ),
)

JOINING = (
    on_event(InvitingState, Joined, joining.on_joined, effects=(SendMessage, *CLOSES)).because(
        "An owner has a seat; with the last that can come the joining is closed."
    ),
    on_message(
        (InvitingState, DrawingState),
        InvitationAnswer,
        admission.on_invitation_answer,
        effects=(RecordFact, SendMessage, *CLOSES),
    ).because("An owner says whether it takes part, and why not; who would join is admitted or refused."),
    on_message(
        InvitingState,
        AdmissionAnswer,
        admission.on_admission_answer,
        effects=(RecordFact, SendMessage, *CLOSES),
    ).because("The buyer has decided about an owner, which is told, with the signatures that let it join."),
    on_timer(InvitingState, timers.JOIN, joining.on_join_over, effects=CLOSES).because(
        "The time to join is over: close, or cancel below the minimum, until the chain shows it."
    ),
)

DRAWING = (
    on_event(DrawingState, Revealed, drawing.on_revealed, effects=CALLS_AGAIN).because(
        "An owner keeps its seat: with the last one the roles are drawn."
    ),
    on_timer(DrawingState, timers.DRAW, drawing.on_draw_due, effects=CALLS_AGAIN).because(
        "Nobody can reveal any more: have the roles drawn, or the training cancelled where too few have, "
        "until the chain shows it."
    ),
)

SETTLEMENT = (
    on_timer(SettlingState, timers.SETTLE, settlement.on_settle_late, effects=CALLS_AGAIN).because(
        "The chain does not show the settlement: ask for it again."
    ),
    on_event(
        SettlingState,
        Settled,
        settlement.on_settled,
        then=(STAYS, FailedState),
        effects=(SendMessage, SubmitCall, SetTimer, CancelTimer),
    ).because("The contract has paid: the buyer is sent its model."),
    on_timer(
        SettlingState, timers.DELIVERY, settlement.on_delivery_late, then=(STAYS, DoneState), effects=GIVES_UP
    ).because("The buyer does not confirm its model: it is sent again, until it need not be kept."),
    on_message(
        SettlingState, ModelReceived, settlement.on_model_received, then=DoneState, effects=(CancelTimer,)
    ).because("The buyer has its model."),
    on_refusal((SettlingState, EndingState), Settle, on_settle_refused, effects=(SubmitCall,)).because(
        "Perhaps no round is recorded any more: then the training can be cancelled."
    ),
)

ENDING = (
    on_message(
        (InvitingState, DrawingState, TrainingState),
        StopOrder,
        ending.on_stop,
        then=EndingState,
        effects=GIVES_UP,
    ).because("The operator ends the training at the last recorded round."),
    on_timer(EndingState, timers.END, ending.on_end, effects=CALLS_AGAIN).because(
        "The contract lets anybody end the training now: call until the chain shows the end."
    ),
    on_event(EndingState, Joined, ending.on_joined).because(
        "A seat taken before the joining is over counts for what may end the training."
    ),
    on_event(EndingState, Closed, ending.on_closed, effects=(SetTimer, PutValue)).because(
        "The contract's clock starts when the time to reveal is over."
    ),
    on_event(EndingState, Revealed, ending.on_revealed).because("Nothing comes of it here."),
    on_event(EndingState, RolesDrawn, ending.on_roles_drawn).because(
        "Nothing starts, and the contract's clock goes on."
    ),
    on_event(
        EndingState,
        RoundRecorded,
        ending.on_round_recorded,
        then=(STAYS, SettlingState),
        effects=(SubmitCall, SetTimer, CancelTimer),
    ).because("A record that was under way counts; the last round is settled after all."),
    on_event(
        (TrainingState, EndingState),
        Settled,
        ending.on_settled_early,
        then=FailedState,
        effects=(SubmitCall, CancelTimer),
    ).because("The contract has paid before the last round: there is no model to deliver."),
    on_event(
        (RequestedState, InvitingState, DrawingState, TrainingState, SettlingState, EndingState),
        Cancelled,
        ending.on_cancelled,
        then=FailedState,
        effects=(SendMessage, CancelTimer),
    ).because("The deposit went back."),
    on_training_gone(
        (InvitingState, DrawingState, TrainingState, SettlingState, EndingState),
        ending.on_gone,
        then=FailedState,
        effects=(SendMessage, CancelTimer),
    ).because("A reorganisation took the opening back: there is nothing left to end on chain."),
)
