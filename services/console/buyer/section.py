"""Which pages a buyer has."""

from aiohttp import web

from services.console.buyer import offers, order, scoring, trainings
from services.console.presentation.i18n import gettext_noop as _
from services.console.web.section import Entry, Section

SECTION = Section(
    home="/trainings",
    title=_("Model buyer"),
    navigation=(Entry("/trainings", _("Trainings")), Entry("/offers", _("Offers"))),
    routes=(
        *trainings.PAGES.routes,
        web.get("/offers", offers.show),
        web.post("/offers", offers.ask),
        web.post("/trainings", order.order),
        web.get("/trainings/new", order.show),
        web.post("/trainings/new", order.review),
        web.post("/trainings/new/check", order.checked),
        web.post("/trainings/new/form", order.change),
        web.post("/trainings/new/yaml", order.from_yaml),
        web.get("/trainings/{key}/model.json", trainings.download),
        web.get("/trainings/{key}/card{suffix}", trainings.card),
        web.post("/trainings/{key}/admit", trainings.admit),
        web.post("/trainings/{key}/scores", scoring.score),
        web.post("/trainings/{key}/scores/remove", scoring.remove),
        web.post("/trainings/{key}/stop", trainings.stop),
    ),
    live=trainings.PAGES.live,
)
