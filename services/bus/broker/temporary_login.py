"""A user that exists for one command of the administrator, who has no rights in the virtual host itself."""

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from services.bus.amqp.connection import Connection
from services.bus.broker.management_client import connected
from services.bus.broker.passwords import HASHING_ALGORITHM, password_hash
from services.bus.broker.provisioning import BrokerPlan
from services.bus.broker.topology import NOTHING, pattern_of
from services.bus.naming import EXCHANGE
from services.common.errors import ConfigurationError
from services.config.daemons import Broker


@asynccontextmanager
async def temporary_connection(
    plan: BrokerPlan, *, read: str = NOTHING, tags: str = ""
) -> AsyncIterator[Connection]:
    """A connection to the plan's virtual host that may write messages and `read` the queues of this pattern.

    Raises ConfigurationError for a document without `amqp`, BusRefused and BusUnavailable.
    """
    if plan.amqp is None:
        raise ConfigurationError("the document has no section amqp; add its url, amqp://host:5672")
    user, password = f"deltaml-admin-{secrets.token_hex(4)}", secrets.token_urlsafe(32)
    scheme, _, host = plan.amqp.url.partition("://")
    url = f"{scheme}://{user}@{host}/{plan.vhost}"
    broker = Broker(url=url, **plan.amqp.model_dump(exclude={"url"}))
    proof = {"password_hash": password_hash(password), "hashing_algorithm": HASHING_ALGORITHM, "tags": tags}
    rights = {"configure": NOTHING, "read": read, "write": pattern_of(EXCHANGE)}
    async with connected(plan.management) as api:
        try:
            await api.put("users", user, body=proof)
            await api.put("permissions", plan.vhost, user, body=rights)
            async with Connection(broker, "administrator", password) as connection:
                yield connection
        finally:
            await api.delete("users", user)
