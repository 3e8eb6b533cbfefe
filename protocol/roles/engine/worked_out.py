"""What a step has worked out of what is kept, for the next steps that begin with the same.

A party's steps read one round's evidence a dozen times: to check its numbers and signatures anew each time
would say the same of the same bytes. So what follows from content alone stays in the process, under a key
that names all that it follows from; another content has another digest, and is looked at as if for the first
time. A refusal is not kept.
"""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, Generic, Protocol, Self, TypeVar, overload

T = TypeVar("T")
Known = dict[str, Any]
"""Values of `worked_out` properties by their names."""


class HasKnown(Protocol):
    """A view that may share what it works out with others of the same content."""

    @property
    def known(self) -> Known:
        """What was worked out so far."""


class worked_out(Generic[T]):  # noqa: N801  it stands where `cached_property` would
    """A property of a view that is worked out once for all views with the same `known`.

    It may depend on nothing but what their key names, and whoever reads it changes nothing of it. A mask, or
    what holds one, is none, for it is to be forgotten, nor are tables, which take more room than all else.
    """

    def __init__(self, work: Callable[[Any], T]) -> None:
        """`work` makes the value of a view."""
        self._work, self._name, self.__doc__ = work, work.__name__, work.__doc__

    @overload
    def __get__(self, view: None, kind: type) -> Self: ...
    @overload
    def __get__(self, view: HasKnown, kind: type) -> T: ...
    def __get__(self, view: HasKnown | None, kind: type) -> Self | T:
        """The value, worked out where it is not known."""
        if view is None:
            return self
        known = view.known
        if self._name not in known:
            known[self._name] = self._work(view)
        value: T = known[self._name]
        return value


class KeptWork:
    """The last few `known` by their keys."""

    def __init__(self, most: int) -> None:
        """At most `most` are kept."""
        self._most = most
        self._kept: OrderedDict[Hashable, Known] = OrderedDict()

    def of(self, key: Hashable) -> Known:
        """What is known under a key, nothing yet of a new one."""
        known = self._kept.get(key, {})
        self.keep(key, known)
        return known

    def keep(self, key: Hashable, known: Known) -> None:
        """Have what a view works out be known under a key; the one not used for longest is forgotten."""
        self._kept[key] = known
        self._kept.move_to_end(key)
        while len(self._kept) > self._most:
            self._kept.popitem(last=False)

    def clear(self) -> None:
        """Forget all of it."""
        self._kept.clear()
