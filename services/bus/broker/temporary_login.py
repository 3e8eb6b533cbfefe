"""A user that exists for one command of the administrator, who has no rights in the virtual host itself.

A command that is killed leaves its user behind, with a password that nobody has; the next one removes it.
"""

import re
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from services.bus.amqp.connection import Connection
from services.bus.broker.management_client import Management, connected
from services.bus.broker.passwords import HASHING_ALGORITHM, password_hash
from services.bus.broker.provisioning import BrokerPlan
from services.bus.broker.topology import NOTHING, pattern_of
from services.bus.naming import EXCHANGE
from services.common.errors import ConfigurationError
from services.config.daemons import Broker

_LEFT_BEHIND_SECONDS = 600.0
"""After so long a user without a connection is no command's that is about to open one."""

_NAME = re.compile(r"deltaml-admin-(?:(?P<made>\d{1,12})-)?[0-9a-f]{8}")
"""`made` in Unix seconds; names of earlier versions are without it."""


@asynccontextmanager
async def temporary_connection(
    plan: BrokerPlan, *, read: str = NOTHING, tags: str = ""
) -> AsyncIterator[Connection]:
    """A connection to the plan's virtual host that may write messages and `read` the queues of this pattern.

    What killed commands have left behind is removed. Raises ConfigurationError for a document without `amqp`,
    BusRefused and BusUnavailable.
    """
    if plan.amqp is None:
        raise ConfigurationError("the document has no section amqp; add its url, amqp://host:5672")
    user = f"deltaml-admin-{int(time.time())}-{secrets.token_hex(4)}"
    password = secrets.token_urlsafe(32)
    scheme, _, host = plan.amqp.url.partition("://")
    url = f"{scheme}://{user}@{host}/{plan.vhost}"
    broker = Broker(url=url, **plan.amqp.model_dump(exclude={"url"}))
    proof = {"password_hash": password_hash(password), "hashing_algorithm": HASHING_ALGORITHM, "tags": tags}
    rights = {"configure": NOTHING, "read": read, "write": pattern_of(EXCHANGE)}
    async with connected(plan.management) as api:
        await _remove_left_behind(api)
        try:
            await api.put("users", user, body=proof)
            await api.put("permissions", plan.vhost, user, body=rights)
            async with Connection(broker, "administrator", password) as connection:
                yield connection
        finally:
            await api.delete("users", user)


async def _remove_left_behind(api: Management) -> None:
    """Whoever is at work has a connection, or was made just now."""
    names = {user["name"] for user in await api.get("users") or []}
    idle = {name for name in names if _is_old(name)}
    if idle:
        idle -= {connection.get("user") for connection in await api.get("connections") or []}
    for name in idle:
        await api.delete("users", name)


def _is_old(name: str) -> bool:
    found = _NAME.fullmatch(name)
    return found is not None and time.time() - int(found["made"] or 0) > _LEFT_BEHIND_SECONDS
