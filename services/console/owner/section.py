"""Which pages there are."""

from aiohttp import web

from services.console.i18n import noted as _
from services.console.owner import trainings
from services.console.section import Entry, Section

SECTION = Section(
    home="/trainings",
    title=_("Data owner"),
    navigation=(Entry("/trainings", _("Trainings")),),
    routes=(web.get("/trainings", trainings.show_all),),
    live={"trainings": trainings.live_all},
)
