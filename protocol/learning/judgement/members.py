"""The validators of an attempt: what their errors weigh, who checks, and who may be left out."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from eth_hash.auto import keccak

from protocol.errors import MisuseError, ProtocolViolation

MAXIMUM_ATTEMPTS = 3
"""At one round."""

_MOST_MEDIANS = 4
_WORD = 32


class Absence(StrEnum):
    """Why a validator is left out of an attempt, and of all later ones."""

    SILENT = "silent"
    NAMED = "named"


class LeftOut(NamedTuple):
    """A seat, and why it no longer takes part."""

    seat: int
    why: Absence


@dataclass(frozen=True, slots=True)
class Attempt:
    """As the aggregator announces it: `number` from 0 within the round, members and who has newly left."""

    number: int
    members: tuple[int, ...]
    left_out: tuple[LeftOut, ...] = ()


def row_weights(rows: Sequence[int]) -> list[int]:
    """min(m_v, 4 × the lower median of the members' rows m): nobody checks how many rows there are.

    One that claims any number counts at most four times what half of the members have or exceed, of two
    members what the one with fewer rows has. Raises MisuseError for no members or a number below 1.
    """
    if not rows or min(rows) < 1:
        raise MisuseError(f"rows {list(rows)}; each of one or more members has at least 1")
    most = _MOST_MEDIANS * sorted(rows)[(len(rows) - 1) // 2]
    return [min(count, most) for count in rows]


def in_order(seats: Collection[int], block_hash: bytes, round_number: int) -> list[int]:
    """Seats by keccak256(abi.encode(hash, round, seat)): as good as by chance, and everybody's alike."""
    prefix = block_hash + round_number.to_bytes(_WORD, "big")
    return sorted(seats, key=lambda seat: keccak(prefix + seat.to_bytes(_WORD, "big")))


def checkers(members: Collection[int], block_hash: bytes, round_number: int, attempt: int) -> tuple[int, int]:
    """The two members that check an attempt: those in places a and a + 1 of the order, cyclically.

    Whoever needs to know derives them itself. Raises MisuseError for fewer than two members.
    """
    ordered = in_order(members, block_hash, round_number)
    if len(ordered) < 2:
        raise MisuseError(f"{len(ordered)} members; a round is checked by two, end the training instead")
    return ordered[attempt % len(ordered)], ordered[(attempt + 1) % len(ordered)]


def require_attempt(
    drawn: int, standing: Collection[int], before: Attempt | None, announced: Attempt
) -> None:
    """Check an attempt against how many validators were drawn, which still take part, and the one before.

    `standing` are the members of the training's last attempt (in the first, all drawn), `before` is the same
    round's last, or None. Raises ProtocolViolation: "attempt_out_of_order", "too_many_attempts",
    "wrong_members" where a seat is left out unnamed, comes back or stands twice, "too_few_members" where a
    record could not be signed by more than half of the drawn ones. Whoever could leave out one member now
    and another then would have each one's numbers as a difference.
    """
    expected = 0 if before is None else before.number + 1
    if expected >= MAXIMUM_ATTEMPTS:
        raise ProtocolViolation(
            "too_many_attempts", f"{expected} attempts were made; {MAXIMUM_ATTEMPTS} allowed"
        )
    if announced.number != expected:
        raise ProtocolViolation("attempt_out_of_order", f"attempt {announced.number}; {expected} expected")
    named = [*announced.members, *(one.seat for one in announced.left_out)]
    if sorted(named) != sorted(standing):
        raise ProtocolViolation(
            "wrong_members", f"members and those left out are {sorted(named)}; {sorted(standing)} take part"
        )
    if len(announced.members) < 2 or 2 * len(announced.members) <= drawn:
        raise ProtocolViolation(
            "too_few_members", f"{len(announced.members)} of {drawn} drawn; two and more than half are needed"
        )
