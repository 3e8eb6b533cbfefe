"""A buyer's daemon with its console, as a process of its own, whose way to the broker can be cut."""

from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import yaml

from services.console.auth.accounts import Accounts
from services.data.samples import diabetes
from tests.faults.proxy import LinkProxy
from tests.support.broker.rabbitmq import Server
from tests.support.daemons.daemon_market import DaemonMarket, free_port

NAME, PASSWORD = "operator", "a long enough password"


class ConsoleDaemon(DaemonMarket):
    """Broker, node, listener and a buyer; nobody else is needed to look at its pages and order."""

    def __init__(self, folder: Path, server: Server) -> None:
        columns, _rows = diabetes()
        super().__init__(folder, server, columns, [])
        self.port = free_port()
        self.link: LinkProxy

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    @property
    def buyer(self):
        return self.daemons["buyer"]

    def names(self) -> list[str]:
        return ["buyer"]

    async def _start(self) -> None:
        Accounts(self.folder / "console-users.json").add(NAME, PASSWORD, "operator")
        self.link = LinkProxy(urlsplit(self.server.amqp_url).port or 5672)
        await self.link.start()
        self._async_stack.push_async_callback(self.link.close)
        await super()._start()

    def _own(self, name: str) -> dict:
        return {**super()._own(name), "console": {"port": self.port}}

    def _configure(self, name: str, kind: str, user: str, own: dict) -> None:
        super()._configure(name, kind, user, own)
        if name == "buyer":
            document = yaml.safe_load(self.config(name).read_text())
            parts = urlsplit(document["broker"]["url"])
            place = f"{parts.username}@127.0.0.1:{self.link.port}"
            document["broker"]["url"] = urlunsplit(parts._replace(netloc=place))
            self.config(name).write_text(yaml.safe_dump(document))
