"""The list of trainings and the page of one: every role has both, each with parts of its own."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from services.console.party import Party
from services.console.presentation.parse import whole_number
from services.console.presentation.rendering import Reader
from services.console.presentation.training_record import LISTED, TrainingRecord
from services.console.web.access import page_of
from services.console.web.pages import or_not_found
from services.console.web.section import Fragments, Live, without_argument

Values = Mapping[str, Any]
"""What a template is rendered with."""


@dataclass(frozen=True, slots=True)
class TrainingPages:
    """The handlers and live topics of a role, whose templates lie in the folder of its name.

    `listing` gives the values of the list's page of a number, from 0 on; `find` the training of a key, None
    where there is none. A part is a template under `training/`, the role's own or shared by all.
    """

    role: str
    listing: Callable[[Reader, int], Values]
    find: Callable[[Party, str], TrainingRecord[Any] | None]
    own_parts: Sequence[str]
    shared_parts: Sequence[str] = ("expected", "curve", "partners", "checks", "transactions", "timeline")

    @property
    def routes(self) -> tuple[web.RouteDef, ...]:
        """Both pages."""
        return web.get("/trainings", self.show_all), web.get("/trainings/{key}", self.show)

    @property
    def live(self) -> Mapping[str, Live]:
        """The topics that both pages watch."""
        return {"trainings": without_argument(self.live_all), "training": self.live_one}

    async def show_all(self, request: web.Request) -> web.StreamResponse:
        """The list, or a page of older trainings; the first page for what is not a number."""
        page, number = page_of(request), whole_number(request.query.get("page", ""), 10**6) or 0
        return page.render(f"{self.role}/trainings.html", **self.listing(page.reader, number))

    async def show(self, request: web.Request) -> web.StreamResponse:
        """One training."""
        page = page_of(request)
        training = or_not_found(self.find(page.party, request.match_info["key"]))
        return page.render(f"{self.role}/training.html", training=training)

    def live_all(self, reader: Reader) -> Fragments:
        """The list as it is now."""
        return {"list": reader.fragment(f"{self.role}/_trainings.html", **self.listing(reader, 0))}

    def live_one(self, reader: Reader, key: str) -> Fragments | None:
        """All parts of a training's page as they are now."""
        training = self.find(reader.party, key)
        if training is None:
            return None
        templates = {part: f"{self.role}/training/{part}.html" for part in self.own_parts}
        templates |= {part: f"training/{part}.html" for part in self.shared_parts}
        return {part: reader.fragment(template, training=training) for part, template in templates.items()}


def paged(newest: Callable[[Party, int, int], Sequence[object]]) -> Callable[[Reader, int], Values]:
    """A listing of pages; `newest` reads so many of a store after so many that are skipped."""

    def listing(reader: Reader, number: int) -> Values:
        rows = newest(reader.party, LISTED + 1, number * LISTED)
        return {"trainings": rows[:LISTED], "number": number, "more": len(rows) > LISTED}

    return listing
