"""Trainings in a daemon's store as its operator names them, and the model that its buyer finds there."""

from protocol.bought_model import BoughtModel
from protocol.codec import unpack
from services.common.errors import ConfigurationError
from services.store import InstanceRow, Store


def find_instance(store: Store, training: str) -> InstanceRow:
    """A training by its number or its instance's key; raises ConfigurationError for one not in the store."""
    number = int(training) if training.isascii() and training.isdigit() and len(training) < 19 else None
    key = None if number is None else store.key_of(number)
    instance = store.instance(key or training)
    if instance is None:
        raise ConfigurationError(
            f"this store has no training {training!r}; `deltaml show` lists those that it has"
        )
    return instance


def training_number(instance: InstanceRow) -> str:
    """The contract's number, once there is one."""
    return "" if instance.training is None else str(instance.training)


def bought_model(store: Store, instance: InstanceRow) -> BoughtModel:
    """The model of a training; raises ConfigurationError where the store has none."""
    content = store.result(instance.key, "model")
    if content is None:
        raise ConfigurationError(
            f"this store has no model of training {training_number(instance)}: only its buyer's store has "
            "one, once the training has finished"
        )
    return unpack(BoughtModel, content)
