"""What a step has worked out of what is kept, for the next steps that begin with the same.

A party's steps read one round's evidence a dozen times: to check its numbers and signatures anew each time
would say the same of the same bytes. So what follows from content alone stays in the process, under a key
that names all that it follows from; another content has another digest, and is looked at as if for the first
time. A refusal is not kept.
"""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, Generic, Protocol, Self, TypeVar, overload

from protocol.roles.engine.context import Context

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
    what holds one, is none, for no other process of the party would forget it with the round; nor are tables,
    which take more room than all else.
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
    """What the last few parties know of their trainings, of each kind of view the last content alone."""

    def __init__(self, most: int) -> None:
        """Trainings of at most `most` parties are kept."""
        self._most = most
        self._kept: OrderedDict[Hashable, dict[str, tuple[Hashable, Known]]] = OrderedDict()

    def of(self, party: Hashable, kind: str, key: Hashable) -> Known:
        """What a party knows under a key, nothing yet of a new one."""
        last, known = self._kept.get(party, {}).get(kind, (None, {}))
        known = known if last == key else {}
        self.keep(party, kind, key, known)
        return known

    def keep(self, party: Hashable, kind: str, key: Hashable, known: Known) -> None:
        """Have what a view works out be known under a key, and nothing under that kind's last one.

        The party that was not seen for longest is forgotten.
        """
        self._kept.setdefault(party, {})[kind] = (key, known)
        self._kept.move_to_end(party)
        while len(self._kept) > self._most:
            self._kept.popitem(last=False)

    def forget(self, party: Hashable) -> None:
        """All that a party knows."""
        self._kept.pop(party, None)

    def clear(self) -> None:
        """Forget all of it."""
        self._kept.clear()


WORK = KeptWork(4)
"""Of a process."""


def whose(context: Context, training: int | None) -> Hashable:
    """A party in one training of a market."""
    return context.address, context.market, training


def forget_work(context: Context, training: int | None) -> None:
    """Of a party's training, where no step will ask for it again."""
    WORK.forget(whose(context, training))
