"""The course of a training as a diagram, from the roles' tables and the messages' own catalogue.

An arrow ends at a role only if one of the role's phases allows what it carries.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from protocol.messages import MESSAGE_TYPES
from protocol.roles.dispatch import inputs_of


@dataclass(frozen=True, slots=True)
class Stretch:
    """A stretch of a training: messages, contract calls (`call:` and name) and events, in their order."""

    title: str
    text: str
    repeated: bool = False

    @property
    def steps(self) -> list[str]:
        """The names in `text`."""
        return self.text.split()


_JOINING = """training_order call:open Opened training_request request_answer
    invitation joining_progress invitation_answer admission_request admission_answer
    call:join Joined call:close Closed call:reveal Revealed call:draw RolesDrawn"""
_AFTER = Stretch(
    "after the last round", "call:settle Settled trained_model call:claim call:withdraw model_received"
)

COURSE = (
    Stretch("before the rounds", f"{_JOINING} checked_ready checked_started"),
    Stretch(
        "every round",
        """encrypted_model proven_update moment_request moment_answer attempt_announced round_evidence
        proven_metric projection_request projection_answer zero_test_shown zero_test_consent
        zero_test_request zero_test_result
        ring_committed ring_nonce ring_shared ring_consent ring_opening_request ring_opening
        check_verdict shown_metrics shown_noise metric_consent
        metric_opening_request opening round_signature
        call:record_round RoundRecorded round_completed""",
        repeated=True,
    ),
    _AFTER,
)
"""What happens in a training in which everybody does its stretch."""

CALLERS: Mapping[str, tuple[str, ...]] = {
    "open": ("model_buyer",),
    "join": ("data_owner",),
    "close": ("federated_aggregator",),
    "reveal": ("data_owner",),
    "draw": ("federated_aggregator",),
    "record_round": ("federated_aggregator",),
    "settle": ("federated_aggregator",),
    "claim": ("data_owner",),
    "withdraw": ("data_owner", "model_buyer", "federated_aggregator"),
}
"""Whose part each contract call of the course is."""

_LIFELINES = {
    "model_buyer": ("B", "Model buyer"),
    "federated_aggregator": ("A", "Aggregator"),
    "data_owner": ("O", "Data owners"),
    "contract": ("C", "Contract"),
}
_CALL = "call:"


def sequence_diagram() -> str:
    """The diagram in Mermaid's notation, one line an arrow."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    yield "sequenceDiagram"
    for short, name in _LIFELINES.values():
        yield f"    participant {short} as {name}"
    for stretch in COURSE:
        if stretch.repeated:
            yield f"    loop {stretch.title}"
        for step in stretch.steps:
            for sender, recipient, arrow, text in _arrows(step):
                indent = "        " if stretch.repeated else "    "
                yield f"{indent}{_LIFELINES[sender][0]}{arrow}{_LIFELINES[recipient][0]}: {text}"
        if stretch.repeated:
            yield "    end"


def _arrows(step: str) -> Iterator[tuple[str, str, str, str]]:
    """(sender, recipient, arrow, text) of each arrow that a step of the course stands for."""
    if step.startswith(_CALL):
        for caller in CALLERS[step.removeprefix(_CALL)]:
            yield caller, "contract", "->>", step.removeprefix(_CALL)
    elif step in MESSAGE_TYPES:
        for sender, recipient in sorted(MESSAGE_TYPES[step].catalogue.routes):
            if step in inputs_of(recipient) and _usual(step, sender):
                source = recipient if sender == "operator" else sender
                yield source, recipient, "->>", _text(step, "data_owner" in (sender, recipient))
    else:
        for role in _LIFELINES:
            if role != "contract" and step in inputs_of(role):
                yield "contract", role, "-->>", step


def _usual(step: str, sender: str) -> bool:
    """Whether it is this sender's part: a validator sends a model only when the aggregator does not."""
    return (step, sender) != ("trained_model", "data_owner")


def _text(step: str, with_owners: bool) -> str:
    kind = MESSAGE_TYPES[step]
    seat = f" ({kind.catalogue.seat})" if kind.catalogue.seat and with_owners else ""
    carries = f": {kind.catalogue.carries}" if kind.catalogue.carries else ""
    return f"{kind.__name__}{seat}{carries}"
