"""Checks of the product that a run can do without: each by a name, replaced where the handlers look it up.

What then happens shows that the check is what stands against an adversary, and not something else.
"""

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from protocol.errors import ProtocolViolation
from tests.adversaries.arena import Replaced

ROLES = "protocol.roles."


@dataclass(frozen=True)
class Switch:
    """One check, by the name that people call it by, and what stands in its place."""

    name: str
    replaced: tuple[Replaced, ...]


def without_code(name: str, code: str, *modules: str, function: str = "require") -> Switch:
    """Without the refusals of this code that these modules (below `protocol.roles`) ask `function` for."""
    places = [import_module(ROLES + module) for module in modules]
    found = tuple(Replaced(one, function, _passing(getattr(one, function), code)) for one in places)
    return Switch(name, found)


def answering(name: str, value: Any, *functions: str) -> Switch:
    """With functions ("module:name" or "module:Class.name") that say `value` without looking."""
    return Switch(name, tuple(_at(where, lambda *_a, **_k: value) for where in functions))


def both(name: str, *switches: Switch) -> Switch:
    """A check that several parties make, off for all of them."""
    return Switch(name, tuple(one for switch in switches for one in switch.replaced))


def _at(where: str, replacement: Callable[..., Any]) -> Replaced:
    module, _, path = where.partition(":")
    *holders, name = path.split(".")
    holder: Any = import_module(module)
    for one in holders:
        holder = getattr(holder, one)
    return Replaced(holder, name, replacement)


def _passing(function: Callable[..., Any], code: str) -> Callable[..., Any]:
    @functools.wraps(function)
    def passing(*arguments: Any, **named: Any) -> Any:
        try:
            return function(*arguments, **named)
        except ProtocolViolation as violation:
            if violation.code != code:
                raise
            return None

    return passing


def named(switches: Sequence[Switch]) -> dict[str, Switch]:
    """By name; raises ValueError where two have the same."""
    found = {one.name: one for one in switches}
    if len(found) != len(switches):
        raise ValueError([one.name for one in switches])
    return found
