"""Secrets that serve once: randomisers, masks of a proof, nonces, seeds.

A mask that hides two values shows their difference, and two answers of a proof under one mask show what is
proven. A type keeps that better than a convention: what was taken is gone.
"""

from typing import Generic, NoReturn, TypeVar

from protocol.errors import MisuseError

Value = TypeVar("Value")


class OneUse(Generic[Value]):
    """A secret that can be taken out once, and is shown, copied, compared and pickled never."""

    __slots__ = ("_held",)

    def __init__(self, value: Value) -> None:
        """Hold `value`; its maker keeps no other reference to it."""
        self._held: list[Value] = [value]

    def take(self) -> Value:
        """The secret; raises MisuseError the second time, in whatever thread."""
        try:
            return self._held.pop()
        except IndexError:
            raise MisuseError("this secret was used already; draw a fresh one for each use") from None

    def __repr__(self) -> str:
        """Show nothing, not even whether it was taken."""
        return "OneUse(hidden)"

    def __reduce__(self) -> NoReturn:
        """Refuse copies: a secret that exists twice is used twice."""
        raise MisuseError("a secret of one use is neither copied nor pickled; draw one for each use")

    __hash__ = None  # type: ignore[assignment]

    def __eq__(self, other: object) -> NoReturn:
        """Refuse comparison, which takes as long as the secrets agree."""
        raise MisuseError("secrets of one use are not compared")
