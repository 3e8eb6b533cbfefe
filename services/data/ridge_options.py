"""Ridge penalties as a person lists them, and what a request for them needs."""

from collections.abc import Sequence
from typing import Any

from protocol.request_schedule import Schedule


def ridges_of(text: str | None) -> tuple[str, ...]:
    """The penalties of a list like "1, 0.1, 0.01", unchecked; none of None."""
    return () if text is None else tuple(one.strip() for one in text.split(","))


def ridge_section(ridges: Sequence[str]) -> dict[str, Any]:
    """What they are in the request's `model`: one number, or a path of them; nothing of none."""
    if not ridges:
        return {}
    return {"l2": ridges[0] if len(ridges) == 1 else list(ridges)}


def rounds_for(ridges: int) -> int:
    """The fewest rounds that share out evenly over so many penalties, and no fewer than the usual ones."""
    values = max(ridges, 1)
    return -(-Schedule().rounds // values) * values
