"""What goes from a store without a trace: what strangers began here and nobody took part in.

Each function works inside the transaction of the archiving.
"""

from collections.abc import Sequence

import sqlalchemy as sa

from protocol.roles.engine import facts as known_facts
from services.store.tables import facts, inbox, instances, results, role_values

OUTSIDE = "outside"
"""The key of messages that belong to no training; see services.runtime.role_adapter."""

ANSWER_PREFIX = "answer:"
"""The keys of the answers to an operator's orders begin so; see services.records.order_answers."""

SKEW_SECONDS = 86_400.0
"""By so much a sender's clock may be wrong: an id is known for longer than its message counts as fresh."""

_TOOK_PART = tuple(
    fact.name
    for fact in (
        known_facts.INVITED,
        known_facts.ROLE_DRAWN,
        known_facts.STARTED,
        known_facts.TRAINED,
        known_facts.VALIDATED,
        known_facts.OPENED,
        known_facts.STOP_REQUESTED,
    )
)


def forget_untouched(connection: sa.Connection, keys: Sequence[str]) -> None:
    """Of these, the failed and declined trainings in which we invited, joined and ordered nothing."""
    touched = sa.select(facts.c.key).where(facts.c.name.in_(_TOOK_PART), facts.c.key.in_(keys))
    kept = {
        *connection.scalars(touched),
        *connection.scalars(sa.select(results.c.key).where(results.c.key.in_(keys))),
    }
    came_to_nothing = sa.or_(instances.c.shown == "DECLINED", instances.c.shown.startswith("FAILED("))
    ended = connection.scalars(sa.select(instances.c.key).where(instances.c.key.in_(keys), came_to_nothing))
    gone = [key for key in ended if key not in kept and key.isdecimal()]
    if not gone:
        return
    connection.execute(inbox.delete().where(inbox.c.key.in_(gone)))
    about = [*gone, *(f"chain:{key}" for key in gone)]
    connection.execute(facts.delete().where(facts.c.key.in_(about)))
    connection.execute(role_values.delete().where(role_values.c.name.in_([f"trace:{key}" for key in gone])))
    connection.execute(instances.delete().where(instances.c.key.in_(gone)))


def forget_orphans(connection: sa.Connection, before: float) -> None:
    """What came before this moment for no training: ids of done inputs, facts, answers.

    An input outside all trainings that is older is refused for its age, so its id need not be known.
    """
    nobodys = inbox.c.key.not_in(sa.select(instances.c.key))
    aged = inbox.c.done, inbox.c.arrived_at < before - SKEW_SECONDS
    connection.execute(inbox.delete().where(*aged, nobodys))
    of_nobody = sa.or_(facts.c.key == OUTSIDE, facts.c.key.startswith(ANSWER_PREFIX))
    connection.execute(facts.delete().where(of_nobody, facts.c.at < before))
