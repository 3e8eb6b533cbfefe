"""The course of a training as a diagram, from the tables of the roles, the routes and the catalogue.

An arrow ends at a role only if one of the role's phases allows what it carries.
"""

from collections.abc import Iterator

from protocol.messages import MESSAGE_TYPES, ROUTES
from protocol.roles.dispatch import inputs_of
from services.admin.docs.message_usage import CALLERS, COURSE, USAGE

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
    for part in COURSE:
        if part.repeated:
            yield f"    loop {part.title}"
        for step in part.steps:
            for sender, recipient, arrow, text in _arrows(step):
                indent = "        " if part.repeated else "    "
                yield f"{indent}{_LIFELINES[sender][0]}{arrow}{_LIFELINES[recipient][0]}: {text}"
        if part.repeated:
            yield "    end"


def _arrows(step: str) -> Iterator[tuple[str, str, str, str]]:
    """(sender, recipient, arrow, text) of each arrow that a step of the course stands for."""
    if step.startswith(_CALL):
        for caller in CALLERS[step.removeprefix(_CALL)]:
            yield caller, "contract", "->>", step.removeprefix(_CALL)
    elif step in MESSAGE_TYPES:
        for sender, recipient in sorted(ROUTES[step]):
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
    usage = USAGE[step]
    seat = f" ({usage.seat})" if usage.seat and with_owners else ""
    carries = f": {usage.carries}" if usage.carries else ""
    return f"{MESSAGE_TYPES[step].__name__}{seat}{carries}"
