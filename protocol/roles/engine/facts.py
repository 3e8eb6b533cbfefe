"""Every fact that is noted for people: its name, what it says, and what its data hold. No others are noted.

A fact is public: console, command line, logs and metrics read it. `FACT.of(key=value, …)` makes one.
Amounts in wei and errors × 1e18 are decimal text, for JSON's integers end at 2^53.
"""

from dataclasses import dataclass
from typing import Any, get_args

from protocol.marketplace import MarketplaceEvent
from protocol.records import RoundRecord
from protocol.roles.engine.effects import RecordFact
from protocol.terms import Terms


@dataclass(frozen=True, slots=True)
class Fact:
    """A kind of fact. `keys` are always in its data, `more` only where they apply."""

    name: str
    meaning: str
    keys: frozenset[str] = frozenset()
    more: frozenset[str] = frozenset()

    def of(self, **data: Any) -> RecordFact:
        """The effect that notes it; raises TypeError for other data than registered."""
        name, checked = self.pair(**data)
        return RecordFact(name=name, data=checked)

    def pair(self, **data: Any) -> tuple[str, dict[str, Any]]:
        """(name, data), for a fact that a daemon notes outside of any transition; raises like `of`."""
        if not self.keys <= data.keys() <= self.keys | self.more:
            raise TypeError(f"{self.name} takes {sorted(self.keys)} and {sorted(self.more)}: {sorted(data)}")
        return self.name, data


def _fact(name: str, meaning: str, keys: str = "", more: str = "") -> Fact:
    return Fact(name, meaning, frozenset(keys.split()), frozenset(more.split()))


# ---- the engine ----

INPUT_IGNORED = _fact("input_ignored", "An input came that no phase from here on allows.", "phase input")
INPUT_LATE = _fact("input_late", "An input came after its time.", "phase input")
INPUT_DROPPED = _fact("input_dropped", "An early input found no room to wait in.", "input held")

# ---- all roles ----

ACCUSED = _fact(
    "accused", "A fault of somebody is shown to the contract, which takes its bond.", "accused fault"
)

# ---- the model buyer ----

OPENING_LATE = _fact("opening_late", "The chain does not show the opening yet.")
OPEN_REFUSED = _fact("open_refused", "The contract refused to open the training.", "code")
OPENED = _fact("opened", "The training is open and its deposit paid.", "training deposit_wei")
JOINING = _fact(
    "joining",
    "So many owners are asked, have joined, wait or have declined for what.",
    "asked joined declined waiting",
)
ADMISSION_ASKED = _fact("admission_asked", "A person must decide whether to admit an owner.", "owner card")
STOP_REQUESTED = _fact("stop_requested", "The operator stops the running training.", "last_round")
SETTLED = _fact("settled", "The deposit is divided.", "paid_wei refund_wei improvement")
CANCELLED = _fact("cancelled", "The contract gave the deposit back.", "refund_wei")
NOT_ON_CHAIN = _fact("not_on_chain", "A reorganisation took the opening back, and the deposit with it.")
MODEL_NOT_DELIVERED = _fact("model_not_delivered", "Nobody has sent the model in time.", "requests")
FINISHED = _fact("finished", "The model has arrived.", "rounds")
INFERRED = _fact("inferred", "The weights' standard errors are there.", "trainers")
NOT_INFERRED = _fact(
    "not_inferred", "There are no standard errors; of `silent` ones there may be later.", "code silent told"
)

# ---- a data owner ----

NO_MATCH = _fact("no_match", "No data set serves the request.", "reasons")
REVEAL_TOO_SHORT = _fact(
    "reveal_too_short",
    "The request leaves less time to reveal than the policy asks for.",
    "reveal_s minimum_s",
)
ASKS_DECISION = _fact("asks_decision", "A person must decide whether to join.", "data_set", "bond token")
OVER_BUDGET = _fact(
    "over_budget",
    "The training may publish more numbers about the data set than its budget has left.",
    "data_set asked used_by_buyer limit_per_buyer used_in_total limit_in_total pooled_before",
)
DATA_SET_DOES_NOT_MATCH = _fact(
    "data_set_does_not_match", "The chosen data set does not serve the request.", "data_set reasons"
)
JOIN_REFUSED = _fact("join_refused", "The contract refused the joining.", "code")
REVEAL_REFUSED = _fact(
    "reveal_refused", "The contract refused the nonce of the draw: the seat is lost.", "code"
)
ROLE_DRAWN = _fact("role_drawn", "The contract has drawn this owner's part.", "role")
LEFT_OUT = _fact("left_out", "The row count came too late: the training goes on without this owner.")
TRAINED = _fact("trained", "A round's local model is sent.", "round")
VALIDATED = _fact("validated", "A round's record is checked and signed.", "round")

# ---- the federated aggregator ----

REQUEST_REFUSED = _fact("request_refused", "The request cannot be taken on.", "code")
INVITED = _fact("invited", "Invitations are sent to so many owners.", "owners")
OWNER_ANSWERED = _fact("owner_answered", "An owner has answered its invitation.", "owner decision code")
ANSWERED_TOO_LATE = _fact("answered_too_late", "An owner would join a training that has started.", "owner")
UPDATE_LATE = _fact("update_late", "A trainer's update came when its round had gone on.", "trainer round")
ROUND_SIGNED = _fact("round_signed", "A majority of the validators has signed the round.", "round last")
MODEL_NOT_CONFIRMED = _fact("model_not_confirmed", "The buyer has not confirmed its model.", "deliveries")

# ---- several roles: the aggregator notes it, and whom it tells by the same name ----

ROUND_COMPLETED = _fact("round_completed", "The aggregator tells a round's public numbers.", "round")
DROPPED = _fact(
    "dropped", "The aggregator leaves somebody out from a round on.", "participant round attempt code"
)
COMPLAINT = _fact("complaint", "The aggregator complains of somebody.", "accused round code")
GAVE_UP = _fact(
    "gave_up",
    "The training cannot go on: the aggregator ends it on the chain.",
    "code last_round",
    "accused silent",
)
CHECK_FAILED = _fact(
    "check_failed", "A checker says that an attempt at a round is not in order.", "checker round attempt code"
)
NAMED = _fact("named", "What somebody has signed shows that it is at fault.", "accused round attempt code")
ATTEMPT_OVER = _fact(
    "attempt_over", "An attempt came to nothing: its round is measured again.", "round attempt", "code"
)

# ---- several roles ----

ADMISSION_DECIDED = _fact("admission_decided", "Whether an owner may take a seat, and why not.", "owner code")
STARTED = _fact("started", "The training starts, with these parties or so many.", "trainers validators")
ROUND_RECORDED = _fact(
    "round_recorded", "The chain has recorded a round.", "round", "mse_before mse_after last"
)
IMPLAUSIBLE = _fact("implausible", "The sum of a round's metrics cannot be: nothing is published.", "round")

# ---- a daemon, outside of any transition ----

VIOLATION = _fact("violation", "An input broke the protocol.", "code detail accused")
INPUT_REFUSED = _fact(
    "input_refused", "An input was refused outside of any transition.", "input code", "digest"
)
SET_ASIDE = _fact("set_aside", "Nothing could be done with this, and it was set aside.", "of code digest")
EVENT_REFUSED = _fact(
    "event_refused", "A contract event was announced that the own node does not show.", "kind code"
)
CALL_REFUSED = _fact("call_refused", "The contract refused a call of no training.", "call code")
UNDELIVERABLE = _fact(
    "undeliverable", "A message could not be delivered and was given up.", "recipient type code"
)
LATE = _fact("late", "Something took place, but not at the first attempt.", "of attempts seconds")
ORDER_ANSWERED = _fact(
    "order_answered", "The daemon has decided about its operator's order.", "order code detail", "state about"
)
POLICY_CHANGED = _fact("policy_changed", "The owner has another policy.", "source")
WITHDRAWAL_ORDERED = _fact("withdrawal_ordered", "The operator has its credit paid out.", "token", "to")
ANNOUNCEMENT_ANSWERED = _fact(
    "announcement_answered", "An aggregator has answered this owner.", "aggregator accepted code"
)
OWNER_ANNOUNCED = _fact("owner_announced", "An owner has introduced itself.", "owner accepted")

FACTS = {entry.name: entry for entry in list(globals().values()) if isinstance(entry, Fact)}

# ---- what the chain says, noted by every daemon ----

_PLACE = frozenset({"block", "block_hash", "transaction", "log", "at"})

EVENTS = {
    name: Fact(
        name,
        str(kind.__doc__),
        _PLACE,
        frozenset({*kind.model_fields, *RoundRecord.model_fields, "request_hash", *Terms.model_fields}),
    )
    for kind in get_args(get_args(MarketplaceEvent)[0])
    for name in [kind.model_fields["event"].default]
}
"""Of a confirmed contract event: its name is the fact's; place and fields of the event are its data."""
