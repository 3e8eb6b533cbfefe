"""Which pages an owner has."""

from aiohttp import web

from services.console.owner import cards, data_sets, earnings, policy, trainings
from services.console.presentation.i18n import gettext_noop as _
from services.console.web import earnings as money
from services.console.web.section import Entry, Section, without_argument

SECTION = Section(
    home="/trainings",
    title=_("Data owner"),
    navigation=(
        Entry("/trainings", _("Trainings")),
        Entry("/data-sets", _("Data sets")),
        Entry("/policy", _("Policy")),
        Entry("/earnings", _("Earnings")),
    ),
    routes=(
        *trainings.PAGES.routes,
        web.post("/trainings/{key}/accept", trainings.accept),
        web.post("/trainings/{key}/decline", trainings.decline),
        web.get("/data-sets", data_sets.show_all),
        web.post("/data-sets", data_sets.upload),
        web.get("/data-sets/{name}", data_sets.show),
        web.get("/data-sets/{name}/card", cards.show),
        web.post("/data-sets/{name}/card", cards.change),
        web.post("/data-sets/{name}/remove", data_sets.remove),
        web.get("/policy", policy.show),
        web.post("/policy", policy.save),
        web.post("/policy/reset", policy.reset),
        web.post("/policy/limits", policy.limit),
        web.get("/earnings", money.show),
        web.get("/earnings.csv", money.download),
        web.post("/earnings/withdraw", earnings.withdraw),
    ),
    live={
        **trainings.PAGES.live,
        "data-sets": without_argument(data_sets.live_all),
        "earnings": without_argument(money.live),
    },
)
