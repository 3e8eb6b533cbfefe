"""Which pages there are."""

from aiohttp import web

from services.console.aggregator.trainings import PAGES
from services.console.presentation.i18n import gettext_noop as _
from services.console.web import earnings
from services.console.web.section import Entry, Section, without_argument

SECTION = Section(
    home="/trainings",
    title=_("Aggregator"),
    navigation=(Entry("/trainings", _("Trainings")), Entry("/earnings", _("Earnings"))),
    routes=(
        *PAGES.routes,
        web.get("/earnings", earnings.show),
        web.get("/earnings.csv", earnings.download),
    ),
    live={**PAGES.live, "earnings": without_argument(earnings.live)},
)
