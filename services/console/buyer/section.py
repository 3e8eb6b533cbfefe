"""Which pages a buyer has."""

from aiohttp import web

from services.console.buyer import detail, ordering, trainings
from services.console.presentation.i18n import gettext_noop as _
from services.console.web.section import Entry, Section

SECTION = Section(
    home="/trainings",
    title=_("Model buyer"),
    navigation=(Entry("/trainings", _("Trainings")),),
    routes=(
        web.get("/trainings", trainings.show_all),
        web.post("/trainings", ordering.order),
        web.get("/trainings/new", ordering.show),
        web.post("/trainings/new", ordering.review),
        web.post("/trainings/new/check", ordering.checked),
        web.post("/trainings/new/form", ordering.change),
        web.post("/trainings/new/yaml", ordering.from_yaml),
        web.get("/trainings/{key}", detail.show),
        web.get("/trainings/{key}/model.json", detail.download),
        web.post("/trainings/{key}/stop", detail.stop),
    ),
    live={"trainings": trainings.live_all, "training": detail.live},
)
