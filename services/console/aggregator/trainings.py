"""The aggregator's trainings, to look at: its operator stops one with the command line."""

from services.console.aggregator.views import detail, summaries
from services.console.presentation.rendering import Reader
from services.console.web.trainings import TrainingPages, Values, paged


def _values(reader: Reader, key: str) -> Values | None:
    training = detail(reader.party.store, key)
    return None if training is None else {"training": training}


PAGES = TrainingPages("aggregator", paged(summaries), _values, ("status", "figures", "work", "answers"))
