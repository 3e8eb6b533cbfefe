"""What the short names of store, roles and chain mean to people: they are names for programs.

The texts are translated where they are shown. A peer may send a code that is not here: it is told as one that
this console has no words for, never as it is.
"""

from collections.abc import Callable

from protocol.reason import Reason
from services.console.presentation.i18n import gettext_noop as _
from services.records.refusal_texts import REFUSALS

STATES = {
    "WAITING": _("Waiting"),
    "READY": _("Ready"),
    "INITIATED": _("Initiated"),
    "IN_PROGRESS": _("In progress"),
    "FINISHED": _("Finished"),
    "FAILED": _("Failed"),
    "DECLINED": _("Declined"),
}
_UNKNOWN_STATE = _("Unknown")

FAILURES = {
    "aggregator_silent": _("The aggregator did not answer. The deposit came back."),
    "cancelled": _(
        "The training was cancelled. The deposit came back, less what drawn owners got for waiting."
    ),
    "not_enough_owners": _("Too few data owners joined. The deposit came back."),
    "too_few_revealed": _("Too few data owners confirmed their seats. The deposit came back."),
    "stopped_by_buyer": _("The buyer stopped the training."),
    "stopped_early": _("The training ended before its last round; the recorded rounds were paid."),
    "too_few_trainers": _("Too few trainers answered."),
    "too_few_validators": _("Too few validators answered."),
    "too_few_signatures": _("Too few validators signed a round."),
    "stopped_by_aggregator": _("The aggregator's operator stopped the training."),
    "buyer_silent": _("The buyer's daemon did not answer in time."),
    "implausible": _("The validators' numbers did not fit together."),
    "round_not_recorded": _("The chain did not record a round in time."),
    "not_on_chain": _("The chain took the opening back, and the deposit with it."),
    "model_not_delivered": _("The deposit was divided, but nobody sent the model in time."),
    "widths_do_not_fit": _("The numbers of this request do not fit into its key."),
    "bad_opening": _("The buyer did not open the numbers of a round as they are."),
    "out_of_range": _("A trainer's weights in a round are far out of their range."),
    "errors_late": _("A checker did not answer in time when errors were to be opened."),
    "ranges_late": _("A checker did not answer in time when trainers' ranges were to be opened."),
    "wrong_moments": _("The buyer's numbers of a round are not those of the trainers' updates."),
    "wrong_products": _("The buyer answered a checker's question falsely."),
    "errors_denied": _("The buyer said of errors that are plausible that they are not."),
    "indefinite_matrix": _(
        "A validator has committed to numbers that are no rows'; an error came out negative."
    ),
    "zero_denied": _("The buyer said of a test that is zero that it is not."),
    "columns_not_scaled": _("Rounds are checked only between columns that are scaled by their ranges."),
    "start_too_large": _("The weights that the training would start from are too large to be checked."),
    "declined": _("This owner declined."),
    "data_set_gone": _("The data set was removed or changed before the seat was confirmed."),
    "expired": _("The time to join ran out before it was decided."),
    "admission_late": _("The time to join ran out before this owner was admitted."),
    "committed_otherwise": _("This owner was admitted before with another data set."),
    "joining_over": _("This owner was not admitted before the joining was over."),
    "owner_not_accepted": _("The buyer does not accept this owner."),
    "refused_by_person": _("The buyer's operator refused this owner."),
    "joined_too_late": _("The roles were drawn without this owner: it had not joined by then."),
    "not_revealed": _("This owner did not confirm its seat in time, and lost it."),
    "never_opened": _("The contract never opened this training."),
    "no_request": _("The buyer's request did not come in time."),
    "terms_differ": _("The request is not the one whose terms are on the chain."),
    "bond_not_accepted": _("The aggregator does not deposit the bond that the request asks of it."),
    "open_insufficient_funds": _("The account has too little ether for the deposit."),
}
"""Why a training ended without a model, in a sentence."""

_ENDED = _("It ended for this reason: %(reason)s.")
_REFUSED_CALLS = {
    "open": _("The contract refused to open the training: %(reason)s."),
    "join": _("The contract refused to let this owner join: %(reason)s."),
    "record": _("The contract refused to record a round: %(reason)s."),
}
"""By the call that a failure's code begins with; the contract's own code follows."""

ANSWERS = {
    "accepted": _("accepted"),
    "declined": _("declined"),
    "waiting": _("waits"),
    "no_data": _("has no data set for it"),
    "no_matching_card": _("has no data set for it"),
    "pay_below_least": _("asks for more pay"),
    "token_not_taken": _("is not paid in this token"),
    "declined_by_person": _("declined"),
    "asks_person": _("asks a person"),
    "buyer_not_accepted": _("asks a person: not of its buyers"),
    "bond_not_accepted": _("does not deposit such a bond unasked"),
    "budget_spent": _("asks a person: its budget is spent"),
    "reveal_too_short": _("asks a person: too little time to confirm its seat"),
}
"""What an owner says to an invitation."""

ADMISSIONS = {
    "admitted": _("admitted"),
    "admission_late": _("was admitted by nobody in time"),
    "committed_otherwise": _("has asked before with another data set"),
    "joining_over": _("not admitted before the joining was over"),
    "owner_not_accepted": _("is not accepted by the buyer"),
    "refused_by_person": _("was refused by the buyer's operator"),
}
"""What was decided about an owner that would join."""

LEFT_OUT = {
    "answered_too_late": _("answered too late"),
    "metric_late": _("its measurement came too late"),
    "no_row_count": _("did not say how many rows it has"),
    "unusable_exchange_key": _("has no usable key"),
    "update_late": _("its update came too late"),
    "sat_out": _("its model erred too much for its error to be published: it is not at fault"),
    "consent_late": _("its signature came too late"),
    "contested": _("it cannot be seen who is wrong: others check"),
    "false_complaint": _("it complained of what is in order"),
    "false_question": _("its question is not what its seeds make"),
    "false_refusal": _("it refused to sign a question that is in order"),
    "false_share": _("its share is not what its seed makes"),
    "other_request": _("it asked the buyer about something else than the updates"),
    "other_start": _("it began a round with another model than the recorded one"),
    "wrong_subtraction": _("its next model is not the buyer's answer without the masks"),
    "other_statement": _("it commits to something else than all were shown"),
    "two_versions": _("it has shown two parties different things"),
    "ring_late": _("its share came too late"),
    "unproven_metric": _("its measurement is not of the rows that it committed to"),
    "unproven_update": _("its update is not what it committed to"),
    "verdict_late": _("a verdict came too late: others check"),
}
"""Why a participant is left out of a round, or of all; or why a round is measured again."""

CONTESTED = {
    "start_contested": _("it starts from another model"),
    "proof_contested": _("an update is not proven"),
    "request_contested": _("the buyer was asked about something else"),
    "subtraction_contested": _("the next model is not the buyer's answer without the masks"),
    "products_contested": _("the numbers are not those of the updates"),
    "question_contested": _("the other checker's question is not what its seeds make"),
    "next_model_contested": _("the next model is out of its range"),
    "shown_contested": _("the checkers were shown different things, or one of them says so"),
    "no_ground": _("without a reason"),
}
"""What a checker says is not in order."""

CONTRACT = {
    "already_joined": _("it has joined already"),
    "already_revealed": _("its nonce is known already"),
    "bad_signature": _("a signature is wrong"),
    "bond_below_cost": _("the bond is less than what it costs to show the fault"),
    "deposit_too_low": _("the deposit is too low"),
    "hash_gone": _("nobody confirmed a seat while the block of the draw was known"),
    "insufficient_funds": _("the account has too little of what is to be paid"),
    "invalid_join": _("it commits to nothing"),
    "invalid_opening": _("it is no opening"),
    "invalid_metrics": _("the numbers are out of range"),
    "invalid_terms": _("the terms are not allowed"),
    "no_seat_left": _("all seats are taken"),
    "no_bond": _("there is no bond any more"),
    "no_fault": _("it shows no fault"),
    "not_party": _("the account is no party of this training"),
    "nothing_to_claim": _("there is nothing to claim"),
    "nothing_to_withdraw": _("there is nothing to withdraw"),
    "power_failed": _("it had too little gas"),
    "reverted": _("the contract gave no reason"),
    "round_already_recorded": _("the round is recorded already"),
    "too_early": _("it is too early"),
    "too_few_revealed": _("too few owners confirmed their seats"),
    "too_late": _("it is too late"),
    "transfer_failed": _("the account or the token does not take the payment"),
    "unexpected_round": _("it is another round's turn"),
    "unknown_training": _("there is no such training on the chain"),
    "wrong_amount_moved": _("the token does not move what it says"),
    "wrong_nonce": _("it is not the nonce that the owner joined with"),
    "wrong_power": _("somebody else has taken this step"),
    "wrong_role": _("the account is registered in another role, or not at all"),
    "wrong_status": _("the training is in another state"),
    "wrong_value": _("what was sent is not the deposit or the bond"),
}
"""Why the contract, or the node before it, refuses a call."""

FAULTS = {
    "no_reveal": _("its seat was not confirmed"),
    "two_records": _("two signed records of one round"),
    "false_opening": _("a false opening"),
}
"""What a bond is lost for."""

PARTS = {"trainer": _("trainer"), "validator": _("validator")}
"""What the contract draws."""

NOT_INFERRED = {
    "ended_early": _("the training ended before its last round"),
    "silent": _("shares or sums did not come in time"),
    "implausible_sum": _("somebody has sent something else than its share"),
    "singular": _("some weights are determined only together"),
}
"""Why there are no standard errors, besides too few trainers."""

_REASONS = {
    **NOT_INFERRED,
    **FAULTS,
    **FAILURES,
    **ANSWERS,
    **ADMISSIONS,
    **LEFT_OUT,
    **CONTESTED,
    **CONTRACT,
    **PARTS,
}
_UNKNOWN = _("a reason that this console has no words for")

EVENTS = {
    "Registered": _("A party registered"),
    "Opened": _("The training was opened"),
    "Joined": _("A data owner joined"),
    "Closed": _("Joining ended"),
    "Revealed": _("A data owner confirmed its seat"),
    "RolesDrawn": _("Trainers and validators were drawn"),
    "RoundRecorded": _("A round was recorded"),
    "Credited": _("Somebody was paid"),
    "BondForfeited": _("A bond was lost"),
    "OpeningDoubted": _("The contract checks an opening that is doubted"),
    "Settled": _("The deposit was divided"),
    "Cancelled": _("The training was cancelled"),
    "Withdrawn": _("A credit was withdrawn"),
}
"""What a transaction did, by the contract's event."""
_UNKNOWN_EVENT = _("Something that this console has no words for")

MODEL_KINDS = {
    "linear_regression": _("Linear regression"),
    "binary_classification": _("Binary classification"),
    "logistic_regression": _("Logistic regression"),
    "poisson_regression": _("Poisson regression (counts)"),
    "gamma_regression": _("Gamma regression (amounts)"),
    "negative_binomial_regression": _("Negative binomial regression (counts)"),
    "cox_regression": _("Cox regression (times until an event)"),
    "several_targets": _("Linear regression of several targets"),
    "several_classes": _("Classification of several classes"),
}
_OTHER_KIND = _("another kind")

SHARES = {
    "contribution": _("for its contribution"),
    "participation": _("for taking part"),
    "validation": _("for validating"),
    "aggregation": _("for aggregating"),
    "refund": _("returned"),
    "abandonment": _("for waiting in vain"),
    "bond": _("its bond"),
    "forfeit": _("a bond that was lost"),
}
"""What a party is credited for."""

_NO_REFUSAL = _("Nothing was changed. The daemon's log says why.")


def state_word(shown: str) -> str:
    """The state without its reason: WAITING, FAILED and so on."""
    return shown.partition("(")[0]


Translate = Callable[[str], str]


def state_name(shown: str, gettext: Translate) -> str:
    """The state in words, without its reason."""
    return gettext(STATES.get(state_word(shown), _UNKNOWN_STATE))


def failure_text(code: str, gettext: Translate) -> str:
    """Why a training ended without a model, in a sentence."""
    if code in FAILURES:
        return gettext(FAILURES[code])
    call, _between, reason = code.partition("_")
    if call in _REFUSED_CALLS:
        return gettext(_REFUSED_CALLS[call]) % {"reason": reason_text(reason, gettext)}
    return gettext(_ENDED) % {"reason": reason_text(code, gettext)}


def reason_text(code: str, gettext: Translate) -> str:
    """A reason beside what it is the reason for."""
    return gettext(_REASONS.get(code, _UNKNOWN))


def mismatch_text(reason: Reason, gettext: Translate) -> str:
    """Why a data set does not serve a request."""
    values = {
        name: mismatch_text(value, gettext) if isinstance(value, Reason) else value
        for name, value in reason.values.items()
    }
    return gettext(reason.template) % values


def refusal_text(code: str, gettext: Translate) -> str:
    """Why an order was refused."""
    return gettext(REFUSALS.get(code, _NO_REFUSAL))


def event_text(name: str, gettext: Translate) -> str:
    """What happened on the chain."""
    return gettext(EVENTS.get(name, _UNKNOWN_EVENT))


def kind_text(name: str, gettext: Translate) -> str:
    """A kind of model."""
    return gettext(MODEL_KINDS.get(name, _OTHER_KIND))


def share_text(name: str, gettext: Translate) -> str:
    """What somebody was credited for."""
    return gettext(SHARES.get(name, _UNKNOWN))
