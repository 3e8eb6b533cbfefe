"""What the message types do not say themselves: when each is sent, what answers it, by when.

Beside `messages.py`, for the documents that are generated from both. Summary and fields are the type's own,
sender and recipient are `ROUTES`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Deadline = Literal["join_s", "step_s", "chain_s"]
"""A field of the request's `deadlines`."""


@dataclass(frozen=True, slots=True)
class Usage:
    """When a message is sent; the types that answer it; the deadline for that and what follows silence.

    `carries` is what a message of a round is about, in formulas; `seat` the kind of owner that has to do
    with it.
    """

    sent_when: str
    answers: tuple[str, ...] = ()
    deadline: Deadline | None = None
    on_silence: str | None = None
    carries: str = ""
    seat: Literal["trainers", "validators"] | None = None


_NOT_YET = "Not sent by this version: the check is designed, its steps are not wired in."

USAGE: Mapping[str, Usage] = {
    "owner_announcement": Usage(
        "At the start of the owner's daemon, to each of its aggregators.",
        ("announcement_answer",),
        on_silence="The announcement is repeated until it is answered.",
    ),
    "announcement_answer": Usage("On each announcement."),
    "training_request": Usage(
        "When `Opened` is confirmed.",
        ("request_answer",),
        "chain_s",
        "The buyer cancels the training on chain.",
    ),
    "request_answer": Usage("When the request and the confirmed `Opened` are both there and compared."),
    "invitation": Usage(
        "When the request is accepted, to every owner that was admitted.",
        ("invitation_answer",),
        "join_s",
        "The owner counts as having declined.",
    ),
    "invitation_answer": Usage(
        "When the owner's policy or its operator has decided, or no data set matches."
    ),
    "training_started": Usage("When `RolesDrawn` is confirmed and the row counts are in."),
    "encrypted_model": Usage(
        "At the start of a round.",
        ("gradient_update",),
        "step_s",
        "The trainer is left out of the round and returns for the next.",
        carries="Enc(x)",
        seat="trainers",
    ),
    "gradient_update": Usage(
        "When the local steps are done; the same question gets the same bytes.",
        carries="Enc(θ_t) = M·Enc(x) + Enc(v), signed",
        seat="trainers",
    ),
    "refresh_request": Usage(
        "When the round's updates are in, in the last round too.",
        ("refresh_answer",),
        "step_s",
        "The training ends at the last recorded round.",
        carries="Σ Enc(θ_t), packed and masked",
    ),
    "refresh_answer": Usage(
        "Once for each refresh: a second answer would be a second equation.",
        carries="the masked quotients, encrypted anew",
    ),
    "local_models": Usage(
        "When the refresh is answered and the round before it is recorded.",
        ("encrypted_metric",),
        "step_s",
        "A next attempt is made without the validator, which returns for the next round.",
        carries="Enc(x), the signed updates, Enc(x′)",
        seat="validators",
    ),
    "check_mask": Usage(_NOT_YET),
    "check_request": Usage(_NOT_YET),
    "check_products": Usage(_NOT_YET),
    "check_opening": Usage(_NOT_YET),
    "noisy_metric": Usage(
        "When the round's models were checked and multiplied.",
        ("metric_products",),
        carries="Enc(r_t) = R·(Enc θ_t, −1), packed and masked",
        seat="validators",
    ),
    "metric_products": Usage(
        "Once for each validator and attempt.",
        carries="Enc⟨u_t,u_t⟩, Enc⟨u_t,Σu⟩ of the masked digits u",
        seat="validators",
    ),
    "mac_challenge": Usage(_NOT_YET),
    "mac_answer": Usage(_NOT_YET),
    "encrypted_metric": Usage(
        "When the masks are taken out of the products.",
        carries="m·(q, c) under zero-sum masks, signed",
        seat="validators",
    ),
    "opening_request": Usage(
        "When the attempt's metrics are all in.",
        ("opening", "opening_refused"),
        "step_s",
        "The training ends at the last recorded round.",
        carries="all signed metrics",
        seat="validators",
    ),
    "opening": Usage(
        "Once for each round: to the aggregator and every validator.",
        ("round_signature",),
        "step_s",
        "Without a majority's signatures the training ends at the last recorded round.",
        carries="the sums with proof, the signed record",
        seat="validators",
    ),
    "opening_refused": Usage("Instead of the opening, when the opened sum cannot be true."),
    "round_signature": Usage(
        "When the opening's proof and the record were checked.",
        carries="EIP-712 signature of the record",
        seat="validators",
    ),
    "round_completed": Usage(
        "When `RoundRecorded` is confirmed.",
        carries="errors, contributions",
    ),
    "trained_model": Usage(
        "When `Settled` is confirmed, or on a validator when it is asked.",
        ("model_received",),
        "step_s",
        "The model is sent again, ever more rarely, for 30 days.",
    ),
    "model_received": Usage("When the model is decrypted and kept."),
    "model_request": Usage(
        "When the aggregator's model is late.",
        ("trained_model",),
        "step_s",
        "The next validator is asked; after each turn of all of them the wait doubles.",
    ),
    "participant_dropped": Usage("When a participant missed its deadline."),
    "complaint": Usage("When a check failed whose evidence others can verify."),
    "training_failed": Usage("When the aggregator gives a training up."),
    "chain_event": Usage("When a block with the log is seen, has become final, or has vanished."),
    "training_order": Usage("By `deltaml train`, a console or a standing order."),
    "owner_decision": Usage("By `deltaml accept` and `deltaml decline`, or a console."),
    "policy_order": Usage("By `deltaml policy` and `deltaml budget`, or a console."),
    "withdraw_order": Usage("By `deltaml withdraw`, or a console."),
    "stop_order": Usage("By `deltaml stop`, or a console."),
}


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of a training: messages, contract calls (`call:` and name) and events, in their order."""

    title: str
    steps: tuple[str, ...]
    repeated: bool = False


COURSE: tuple[Part, ...] = (
    Part(
        "before the rounds",
        (
            "training_order",
            "call:open",
            "Opened",
            "training_request",
            "request_answer",
            "invitation",
            "call:join",
            "Joined",
            "invitation_answer",
            "call:close",
            "Closed",
            "call:draw",
            "RolesDrawn",
            "training_started",
        ),
    ),
    Part(
        "every round",
        (
            "encrypted_model",
            "gradient_update",
            "refresh_request",
            "refresh_answer",
            "local_models",
            "noisy_metric",
            "metric_products",
            "encrypted_metric",
            "opening_request",
            "opening",
            "round_signature",
            "call:record_round",
            "RoundRecorded",
            "round_completed",
        ),
        repeated=True,
    ),
    Part(
        "after the last round", ("call:settle", "Settled", "call:withdraw", "trained_model", "model_received")
    ),
)
"""What happens in a training in which everybody does its part."""

CALLERS: Mapping[str, tuple[str, ...]] = {
    "open": ("model_buyer",),
    "join": ("data_owner",),
    "close": ("federated_aggregator",),
    "draw": ("federated_aggregator",),
    "record_round": ("federated_aggregator",),
    "settle": ("federated_aggregator",),
    "withdraw": ("data_owner", "model_buyer", "federated_aggregator"),
}
"""Whose part each contract call of the course is."""
