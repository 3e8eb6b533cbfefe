"""An owner's policy as its store has it, and the order that changes it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from protocol.messages import PolicyOrder
from protocol.owner_policy import OwnerPolicy
from services.cli.order_sending import give_order
from services.cli.store_option import existing_store
from services.common.errors import ConfigurationError
from services.common.problems import told
from services.config.daemons import DataOwnerConfig, load
from services.records.owner_account import ordered_policy

Made = TypeVar("Made")


def policy_in_force(config: Path) -> tuple[DataOwnerConfig, OwnerPolicy, str]:
    """(configuration, policy, where the policy comes from)."""
    settings = load(config, "data-owner")
    with existing_store(None, config) as store:
        ordered = ordered_policy(store)
    if ordered is None:
        return settings, settings.policy, "configuration"
    return settings, ordered, "order"


def order_policy(settings: DataOwnerConfig, policy: OwnerPolicy | None, seconds: float) -> bool:
    """Have the running daemon decide by this policy, or by its configuration's; whether it does already.

    Raises as `give_order` does.
    """
    _, answer = give_order(settings, "data_owner", PolicyOrder(policy=policy), seconds=seconds)
    return answer is not None


def with_changes(policy: OwnerPolicy, changes: dict[str, Any]) -> OwnerPolicy:
    """The policy with other values; raises ConfigurationError naming the field that is wrong."""
    return validated(lambda: OwnerPolicy.model_validate({**dict(policy), **changes}))


def validated(make: Callable[[], Made]) -> Made:
    """What `make` makes; raises ConfigurationError naming the field that is wrong."""
    try:
        return make()
    except ValidationError as error:
        raise ConfigurationError(told(OwnerPolicy, error.errors()[0], "policy")) from None
