"""What a role adds to the console: pages, navigation and live parts."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from aiohttp import web

from services.console.presentation.rendering import Reader

Fragments = Mapping[str, str]
"""HTML by event name: what replaces the content of the elements with that `sse-swap`."""

Live = Callable[[Reader, str], Fragments | None]
"""Renders the fragments of a topic's argument; None when there is nothing of that name."""


def without_argument(render: Callable[[Reader], Fragments]) -> Live:
    """A topic of no argument: each that is invented would be a channel more, drawn at every change."""

    def live(reader: Reader, argument: str) -> Fragments | None:
        return None if argument else render(reader)

    return live


@dataclass(frozen=True, slots=True)
class Entry:
    """A link of the navigation; `label` is a text that is translated when shown."""

    path: str
    label: str


@dataclass(frozen=True, slots=True)
class Section:
    """A role's part of the console; `home` is where signing in leads."""

    home: str
    title: str
    navigation: Sequence[Entry]
    routes: Sequence[web.RouteDef]
    live: Mapping[str, Live]
