"""Why a daemon does not do what its operator ordered, by code: for commands and pages alike."""

REFUSALS = {
    "input_ignored": "It is too late for that, or too early.",
    "input_late": "It is too late for that.",
    "ordered_already": "Exactly this request was ordered before: change its name to have it trained again.",
    "over_budget": "The data set's budget is used up.",
    "data_set_does_not_match": "The data set does not serve the request.",
    "unknown_data_set": "The catalogue has no such data set.",
    "unknown_training": "The daemon has no such training.",
    "training_over": "The training is over.",
    "archived": "The training is over.",
    "not_mine": "It is a training of others.",
    "too_many_trainings": "The daemon has as many trainings under way as it takes on: order it later.",
    "unknown_application": "No such owner would join the training.",
    "joining_over": "The joining is over: nobody is admitted any more.",
    "decided_already": "It is decided already.",
    "bond_to_itself": "What is lost of the buyer's bond would go to the buyer: name another account for it.",
    "deposit_too_low": "The deposit is too low for what the request pays.",
    "widths_do_not_fit": "The numbers of this request do not fit into its key.",
}

REMEDIES = {
    "over_budget": "--beyond-budget joins all the same",
    "unknown_data_set": "`deltaml datasets list` tells which it has",
    "unknown_application": "`deltaml admissions` lists those that would",
    "unknown_training": "`deltaml trainings` lists those that it has",
}
"""What a command can do about it."""


def refusal_text(code: str) -> str:
    """Text and remedy within a command's sentence; "" for a code that has none."""
    text = REFUSALS.get(code, "").rstrip(".")
    parts = (text[:1].lower() + text[1:], REMEDIES.get(code, ""))
    return "; ".join(part for part in parts if part)
