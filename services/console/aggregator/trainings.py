"""The aggregator's trainings, to look at: its operator stops one with the command line."""

from services.console.aggregator.views import Training
from services.console.web.trainings import TrainingPages, paged

PAGES = TrainingPages(
    "aggregator",
    paged(Training.newest),
    Training.find,
    ("status", "figures", "work", "answers"),
)
