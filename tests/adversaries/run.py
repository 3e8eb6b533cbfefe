"""Run one adversary, and hold what came of it against what was declared."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from protocol.terms import NATIVE
from tests.adversaries.arena import Arena, prepared, replaced
from tests.adversaries.bonds import bond_differences
from tests.adversaries.declaration import Adversary, Money
from tests.adversaries.outcome import Outcome


@dataclass(frozen=True)
class Report:
    """What differs from the declaration: nothing, if all is well."""

    adversary: Adversary
    differences: tuple[str, ...]

    def line(self) -> str:
        """For people."""
        done = "as declared" if not self.differences else "; ".join(self.differences)
        return f"{self.adversary.who:>15}  {self.adversary.name}: {done}"


def run(adversary: Adversary) -> Report:
    """With every check in place."""
    outcome = played(adversary)
    found = differences(adversary, outcome)
    if adversary.bond:
        found += bond_differences(outcome, adversary.bond)
    return Report(adversary, tuple(found))


def run_unchecked(adversary: Adversary) -> Report:
    """With its one check off: then the adversary must win."""
    assert adversary.switch is not None
    with replaced(adversary.switch.replaced):
        won = _brings_down(adversary) if adversary.crashes else _wins(adversary)
    lost = () if won else (f"wins nothing without: {adversary.switch.name}",)
    return Report(adversary, lost)


def _wins(adversary: Adversary) -> bool:
    assert adversary.wins is not None
    return adversary.wins(played(adversary))


def _brings_down(adversary: Adversary) -> bool:
    """Whether an honest party makes of its messages what it cannot handle (pydantic's are ValueErrors)."""
    try:
        played(adversary)
    except ValueError:
        return True
    return False


def played(adversary: Adversary) -> Outcome:
    """The market to its end, with time for claims; of one that a bond binds, everybody has deposited one."""
    coin = NATIVE if adversary.bond else None
    arena = prepared(
        adversary.rounds,
        twins=adversary.twins,
        late=adversary.late,
        pair=adversary.pair,
        coin=coin,
        committed=adversary.committed,
        carries=adversary.carries,
    )
    wrapped = adversary.wrapping(arena) if adversary.wrapping else ()
    arena.enter(adversary.who, adversary.deed, wrapped, redraws=adversary.redraws)
    arena.finish()
    return Outcome(arena)


Ignored = Callable[[str], bool]


def _nothing(_code: str) -> bool:
    return False


def differences(declared: Adversary, outcome: Outcome, ignored: Ignored = _nothing) -> list[str]:
    """Whatever is not as declared; a code that is `ignored` may be found of anybody."""
    arena = outcome.arena
    own = {arena.adversary} - {""}
    found = []
    if outcome.bugs:
        found.append(f"an honest party has a bug: {outcome.bugs}")
    if missing := {one for one in declared.caught if not _is_found(one, outcome.findings, ignored)}:
        found.append(f"not found out: {sorted(missing)} in {sorted(outcome.findings)}")
    undeclared = {one for one in outcome.findings if not ignored(one.rpartition(": ")[2])}
    if not declared.caught and undeclared:
        found.append(f"found, undeclared: {sorted(undeclared)}")
    found += _people(declared.named, outcome.named, own, arena, "named")
    found += [f"honest, and held to blame: a {arena.role_of(one)}" for one in outcome.shown_to_blame - own]
    found += _people(declared.left_out, outcome.left_out, own, arena, "left out")
    if not outcome.is_true:
        found.append("a wrong number was recorded")
    return found + _money(declared.money, outcome)


def _is_found(declared: str, findings: set[str], ignored: Ignored) -> bool:
    """Whether somebody noticed; of what is ignored, any such code of the same role will do."""
    role, _, code = declared.rpartition(": ")
    if declared in findings or not ignored(code):
        return declared in findings
    return any(one.startswith(f"{role}: ") and ignored(one.rpartition(": ")[2]) for one in findings)


def _people(said: bool, found: set[str], own: set[str], arena: Arena, what: str) -> Sequence[str]:
    differences = [f"honest, and {what}: a {arena.role_of(one)}" for one in found - own]
    if said != bool(found & own):
        differences.append(f"the adversary is {'not ' if said else ''}{what}")
    return differences


def _money(declared: Money, outcome: Outcome) -> list[str]:
    arena = outcome.arena
    got, whole, status = outcome.pay[arena.adversary], outcome.is_whole, arena.contract.status
    as_declared = {
        Money.PAID: whole and (got > 0 or arena.adversary in ("", arena.buyer.address)),
        Money.UNPAID: whole and got == 0,
        Money.PARTLY: whole and got > 0,
        Money.REFUNDED: status == "cancelled" and not outcome.recorded,
        Money.EARLY: status == "settled" and not whole,
    }
    found = [] if as_declared[declared] else [f"{status}, {outcome.recorded} recorded, {got} wei to it"]
    return found if outcome.is_paid_by_rule else [*found, "the contract pays otherwise than by its rule"]
