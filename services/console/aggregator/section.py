"""Which pages there are."""

from services.console.aggregator.trainings import PAGES
from services.console.presentation.i18n import gettext_noop as _
from services.console.web.section import Entry, Section

SECTION = Section(
    home="/trainings",
    title=_("Aggregator"),
    navigation=(Entry("/trainings", _("Trainings")),),
    routes=PAGES.routes,
    live=PAGES.live,
)
