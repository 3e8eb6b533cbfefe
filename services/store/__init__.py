"""A role's durable state: one database per daemon."""

from services.store.forgetting import ANSWER_PREFIX, SKEW_SECONDS
from services.store.rows import InstanceRow, NewMessage, QueuedEffect, QueuedInput, StepWrites
from services.store.store import Store
from services.store.tables import SCHEMA_VERSION

__all__ = [
    "ANSWER_PREFIX",
    "SCHEMA_VERSION",
    "SKEW_SECONDS",
    "InstanceRow",
    "NewMessage",
    "QueuedEffect",
    "QueuedInput",
    "StepWrites",
    "Store",
]
