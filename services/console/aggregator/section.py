"""Which pages there are."""

from aiohttp import web

from services.console.aggregator import trainings
from services.console.presentation.i18n import gettext_noop as _
from services.console.web.section import Entry, Section

SECTION = Section(
    home="/trainings",
    title=_("Aggregator"),
    navigation=(Entry("/trainings", _("Trainings")),),
    routes=(web.get("/trainings", trainings.show_all), web.get("/trainings/{key}", trainings.show)),
    live={"trainings": trainings.live_all, "training": trainings.live},
)
