"""Every code that may reach a page, out of the sources: a test that renders all of them forgets none."""

import ast
import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import get_args

from protocol.messages import AdmissionCode, InvitationAnswer
from services.chain.contract.abi import snake_case
from tests.support.deployment.reached import reached_modules

_ROOT = Path(__file__).parents[3]
_CONTRACT = _ROOT / "services" / "chain" / "artifacts" / "Marketplace.json"
_REASONS = {"give_up": 1, "fail": 1, "drop_notices": 3, "next_attempt": 3, "ParticipantDropped": "code"}
_SAID = (
    _ROOT / "protocol/roles/aggregator/request_check.py",
    _ROOT / "protocol/roles/rounds/complaint.py",
)
"""Where functions return codes."""

_RULES = {"require": 1, "ProtocolViolation": 0}
"""By the name of what is called: which of its arguments is the code."""


def contract_codes() -> frozenset[str]:
    """Why the contract refuses a call, or the node before it does."""
    abi = json.loads(_CONTRACT.read_text())["abi"]
    own = [entry["name"] for entry in abi if entry["type"] == "error" and entry["name"].startswith("Market")]
    return frozenset(map(snake_case, own)) | {"reverted", "insufficient_funds", "unknown_training"}


def answer_codes() -> frozenset[str]:
    """What an owner says to an invitation, and what is decided about one that accepts."""
    fields = InvitationAnswer.model_fields
    said = (*get_args(fields["decision"].annotation), *get_args(fields["code"].annotation))
    return frozenset({*said, *get_args(AdmissionCode)})


@cache
def reason_codes() -> frozenset[str]:
    """Why the roles end trainings, refuse requests and leave participants out."""
    return frozenset(
        code
        for node in _calls("protocol/roles", *(f"{name}(" for name in _REASONS), "failure=")
        for code in (_argument(node, _REASONS), _keyword(node, "failure"))
        if code is not None
    ) | _returned(*_SAID)


@cache
def rule_codes() -> frozenset[str]:
    """The rules of the protocol, which a complaint or a refused order may name."""
    calls = [f"{name}(" for name in _RULES]
    found = (_argument(node, _RULES) for part in ("protocol", "services") for node in _calls(part, *calls))
    return frozenset(code for code in found if code is not None)


@cache
def every_code() -> frozenset[str]:
    """All of them, and one that nobody has heard of."""
    known = contract_codes() | answer_codes() | reason_codes() | rule_codes()
    prefixed = {f"{call}_{code}" for call in ("open", "join", "record") for code in contract_codes()}
    return known | prefixed | {"step_size_diverges"}


def _calls(folder: str, *parts: str) -> Iterator[ast.Call]:
    """The calls in the files in which one of these parts stands: making trees of all would take longer.

    What no daemon comes to shows nobody a code.
    """
    for path in sorted(reached_modules(_ROOT) & set((_ROOT / folder).rglob("*.py"))):
        text = path.read_text()
        if any(part in text for part in parts):
            yield from (node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call))


def _argument(node: ast.Call, places: dict[str, int | str]) -> str | None:
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    place = places.get(name)
    if isinstance(place, str):
        return _keyword(node, place)
    return _text(node.args[place]) if place is not None and place < len(node.args) else None


def _keyword(node: ast.Call, name: str) -> str | None:
    return next((_text(keyword.value) for keyword in node.keywords if keyword.arg == name), None)


def _returned(*paths: Path) -> frozenset[str]:
    nodes = (node for path in paths for node in ast.walk(ast.parse(path.read_text())))
    returns = (node.value for node in nodes if isinstance(node, ast.Return))
    return frozenset(text for value in returns if (text := _text(value)) is not None)


def _text(node: ast.AST | None) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None
