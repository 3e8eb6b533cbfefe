"""DeltaML for Python: try a market on tables of your own, order trainings, use what was bought.

What each name does stands in deltaml/README.md and in its docstring. Nothing is loaded before it is used, so
`import deltaml` takes a few milliseconds.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from deltaml.class_predictions import BoughtClasses as BoughtClasses
    from deltaml.classes import ClassSimulation as ClassSimulation
    from deltaml.classes import class_requests as class_requests
    from deltaml.classes import price_of as price_of
    from deltaml.classes import simulate_classes as simulate_classes
    from deltaml.classifier import BoughtClassifier as BoughtClassifier
    from deltaml.estimator import OutsideRangeWarning as OutsideRangeWarning
    from deltaml.offers import SilentAggregatorWarning as SilentAggregatorWarning
    from deltaml.participants import AsyncBuyer as AsyncBuyer
    from deltaml.participants import AsyncOwner as AsyncOwner
    from deltaml.participants import Buyer as Buyer
    from deltaml.participants import Owner as Owner
    from deltaml.participants import connect as connect
    from deltaml.participants import connect_async as connect_async
    from deltaml.regressor import BoughtRegressor as BoughtRegressor
    from deltaml.regressor import load_model as load_model
    from deltaml.results import Participation as Participation
    from deltaml.results import TrainingRound as TrainingRound
    from deltaml.several import BoughtSeveralClasses as BoughtSeveralClasses
    from deltaml.several import BoughtTargets as BoughtTargets
    from deltaml.simulation import Simulation as Simulation
    from deltaml.simulation import simulate as simulate
    from deltaml.simulation import simulate_async as simulate_async
    from deltaml.trainings import AsyncTraining as AsyncTraining
    from deltaml.trainings import Progress as Progress
    from deltaml.trainings import Training as Training
    from protocol.bought_model import BoughtModel as BoughtModel
    from services.records.market_offers import CardMatch as CardMatch
    from services.records.market_offers import ListedCard as ListedCard
    from services.records.market_offers import MarketColumn as MarketColumn
    from services.records.market_offers import Match as Match

_PLACES = {
    "AsyncBuyer": "deltaml.participants",
    "AsyncOwner": "deltaml.participants",
    "AsyncTraining": "deltaml.trainings",
    "BoughtClasses": "deltaml.class_predictions",
    "BoughtClassifier": "deltaml.classifier",
    "BoughtModel": "protocol.bought_model",
    "BoughtRegressor": "deltaml.regressor",
    "BoughtSeveralClasses": "deltaml.several",
    "BoughtTargets": "deltaml.several",
    "Buyer": "deltaml.participants",
    "CardMatch": "services.records.market_offers",
    "ClassSimulation": "deltaml.classes",
    "FoldErrors": "services.records.folds",
    "ListedCard": "services.records.market_offers",
    "MarketColumn": "services.records.market_offers",
    "Match": "services.records.market_offers",
    "OutsideRangeWarning": "deltaml.estimator",
    "Owner": "deltaml.participants",
    "Participation": "deltaml.results",
    "Penalty": "services.records.penalties",
    "Progress": "deltaml.trainings",
    "SilentAggregatorWarning": "deltaml.offers",
    "Simulation": "deltaml.simulation",
    "Training": "deltaml.trainings",
    "TrainingRound": "deltaml.results",
    "class_requests": "deltaml.classes",
    "connect": "deltaml.participants",
    "connect_async": "deltaml.participants",
    "load_model": "deltaml.regressor",
    "price_of": "deltaml.classes",
    "simulate": "deltaml.simulation",
    "simulate_async": "deltaml.simulation",
    "simulate_classes": "deltaml.classes",
}
"""Where each name of this package comes from."""

__all__ = sorted(_PLACES)  # noqa: PLE0605  as the table has them


def __getattr__(name: str) -> Any:
    """A name of this package, loaded when it is first used."""
    if name not in _PLACES:
        raise AttributeError(f"module 'deltaml' has no attribute {name!r}; it has {', '.join(__all__)}")
    value = getattr(import_module(_PLACES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """What can be imported from here."""
    return __all__
