"""A market's part of a broker: made, and kept from what is another market's."""

from collections.abc import Sequence

from services.bus.broker.drift import Difference
from services.bus.broker.provisioning import BrokerPlan, apply_broker, plan_broker
from services.bus.broker.topology import topology_of
from services.bus.port import BusRefused

_MOST_SHOWN = 40


async def provision(plan: BrokerPlan) -> int:
    """Make what the plan needs; tells how many changes that took.

    Raises BusRefused, with the plan and nothing changed, where its virtual host is another market's.
    """
    require_unshared(plan, await plan_broker(plan))
    return sum(item.action != "look" for item in await apply_broker(plan))


def require_unshared(plan: BrokerPlan, differences: Sequence[Difference]) -> None:
    """Raise BusRefused where a market that is new on the broker would share its virtual host.

    Applying its plan would cut off the other's queues: bindings that nobody planned are removed.
    """
    theirs = [
        item
        for item in differences
        if item.action == "remove" or (item.action == "look" and item.kind == "queue")
    ]
    queues = topology_of(plan).queues
    missing = sum((item.action, item.kind) == ("create", "queue") for item in differences)
    if not theirs or missing < len(queues) - 1:  # all but the one for dead letters, which the other has too
        return
    shown = sorted(differences, key=lambda item: (item not in theirs, item.action != "remove"))
    lines = [f"  {item.action:<8} {item.kind} {item.name} {item.detail}".rstrip() for item in shown]
    hidden = [] if len(lines) <= _MOST_SHOWN else [f"  and {len(lines) - _MOST_SHOWN} more"]
    raise BusRefused(
        f"the virtual host {plan.vhost!r} holds what is not this market's ({len(theirs)} queues and "
        "bindings); nothing was changed. Leave --vhost out for one of its own, or name another. The plan:\n"
        + "\n".join([*lines[:_MOST_SHOWN], *hidden])
    )
