"""What the store's short names mean to people. The texts are translated where they are shown."""

from services.console.presentation.i18n import gettext_noop as _

STATES = {
    "WAITING": _("Waiting"),
    "READY": _("Ready"),
    "INITIATED": _("Initiated"),
    "IN_PROGRESS": _("In progress"),
    "FINISHED": _("Finished"),
    "FAILED": _("Failed"),
    "DECLINED": _("Declined"),
}

FAILURES = {
    "aggregator_silent": _("The aggregator did not answer. The deposit came back."),
    "cancelled": _("The training was cancelled. The deposit came back."),
    "not_enough_owners": _("Too few data owners joined. The deposit came back."),
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
    "declined": _("This owner declined."),
    "data_set_gone": _("The data set was removed or changed before the seat was confirmed."),
    "open_insufficient_funds": _("The account has too little ether for the deposit."),
}
"""By the code in FAILED(code)."""

KINDS = {
    "numeric": _("numbers"),
    "boolean": _("yes and no"),
    "date": _("dates"),
    "categorical": _("categories"),
}
"""Of a card's columns."""


def state_word(shown: str) -> str:
    """The state without its reason: WAITING, FAILED and so on."""
    return shown.partition("(")[0]
