"""What is registered is used, and what is used is registered: facts, timers, private values, both ways."""

import ast
from pathlib import Path
from typing import get_args

import pytest

from protocol.marketplace import MarketplaceEvent
from protocol.roles.engine import facts, private, timers
from protocol.roles.engine.facts import Fact

ROOT = Path(__file__).parents[4]
ENGINE = ROOT / "protocol" / "roles" / "engine"
NODES = [
    (path, node)
    for folder in ("protocol", "services")
    for path in sorted((ROOT / folder).rglob("*.py"))
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    if isinstance(node, ast.Call | ast.Attribute | ast.ImportFrom | ast.Subscript)
]
CALLS = [(path, node) for path, node in NODES if isinstance(node, ast.Call)]
PRIVATE = [name for name, entry in vars(private).items() if name.isupper()]


def called(node: ast.Call) -> str:
    """The name that is called: `f` of `f()` and of `a.b.f()`."""
    if isinstance(node.func, ast.Attribute):
        return node.func.attr
    return node.func.id if isinstance(node.func, ast.Name) else ""


def entries_used(module: str, methods: set[str]) -> set[str]:
    """The X of every `module.X.method(...)`, or `X.method(...)` in the registry itself."""
    return {
        node.func.value.attr
        for _, node in CALLS
        if called(node) in methods
        and isinstance(node.func, ast.Attribute)
        and isinstance(node.func.value, ast.Attribute)
        and isinstance(node.func.value.value, ast.Name)
        and node.func.value.value.id == module
    }


def entries_named(module: str) -> set[str]:
    """The X of every `module.X` outside the registry, and of `from … import X`."""
    used: set[str] = set()
    registry = ENGINE / f"{module}.py"
    for path, node in NODES:
        if path == registry:
            continue
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == module:
            used.add(node.attr)
        if isinstance(node, ast.ImportFrom) and node.module == f"protocol.roles.engine.{module}":
            used |= {alias.name for alias in node.names}
    return {name for name in used if name.isupper()}


def made_elsewhere(kinds: set[str], registry: str) -> list[str]:
    """Where such an effect is made past its registry."""
    return [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path, node in CALLS
        if called(node) in kinds and isinstance(node.func, ast.Name) and path != ENGINE / f"{registry}.py"
    ]


def test_every_fact_is_noted_and_every_noted_fact_is_registered() -> None:
    relayed = {
        argument.attr
        for _, node in CALLS
        if called(node) == "passing_on"
        for argument in node.args
        if isinstance(argument, ast.Attribute)
    }
    noted = entries_used("facts", {"of", "pair"}) | relayed
    registered = {name for name, entry in vars(facts).items() if isinstance(entry, Fact)}
    assert noted == registered
    assert not made_elsewhere({"RecordFact"}, "facts")


def test_a_daemon_notes_no_fact_past_the_registry() -> None:
    """Neither as a pair of its own nor under a name in quotes."""
    for path, node in CALLS:
        if "services" in path.parts and called(node) in {"Answer", "note", "give_up_effect", "append"}:
            for value in (*node.args, *(keyword.value for keyword in node.keywords if keyword.arg == "fact")):
                pair = isinstance(value, ast.Tuple) and len(value.elts) == 2
                is_fact = pair and isinstance(value.elts[1], ast.Dict | ast.Name)
                assert not (is_fact and isinstance(value.elts[0], ast.Constant)), f"{path}:{node.lineno}"


def test_every_contract_event_has_a_fact_of_its_name() -> None:
    kinds = get_args(get_args(MarketplaceEvent)[0])
    assert set(facts.EVENTS) == {kind.model_fields["event"].default for kind in kinds}
    assert not set(facts.EVENTS) & set(facts.FACTS)


def test_names_of_facts_and_timers_are_those_of_their_entries() -> None:
    for module, entries in ((facts, facts.FACTS), (timers, timers.TIMERS)):
        for name, entry in entries.items():
            assert getattr(module, name.upper()) is entry


@pytest.mark.parametrize("fact", facts.FACTS.values(), ids=lambda fact: fact.name)
def test_a_fact_has_its_registered_data_and_no_other(fact: Fact) -> None:
    assert fact.meaning.endswith(".")
    data = dict.fromkeys(fact.keys | fact.more, 1)
    assert fact.of(**data).data == data
    with pytest.raises(TypeError, match=fact.name):
        fact.of(**data, unregistered=1)
    if fact.keys:
        with pytest.raises(TypeError, match=fact.name):
            fact.of()


def test_every_timer_is_set_and_every_set_timer_is_registered() -> None:
    set_by_roles = entries_used("timers", {"set"})
    assert set_by_roles == {name.upper() for name in timers.TIMERS}
    assert not made_elsewhere({"SetTimer", "CancelTimer"}, "timers")


def test_every_private_value_is_used_and_none_is_named_elsewhere() -> None:
    assert entries_named("private") == set(PRIVATE)
    assert not made_elsewhere({"PutValue"}, "private")
    for path, node in NODES:
        if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Attribute):
            named = node.value.attr == "private" and isinstance(node.slice, ast.Constant)
            assert not named, f"{path}:{node.lineno}: a private value by a name in quotes"
