"""A market for soaking: many owners, some buyers, small keys, daemons forked from one process."""

from collections.abc import Mapping
from pathlib import Path
from random import Random
from typing import Any

from protocol.messages import TrainingOrder
from protocol.request import Request
from protocol.request_parsing import parse_request
from services.bus.amqp.amqp_bus import AmqpBus
from services.common.files import read_passphrase, write_private
from services.identity.keystore import Keystore
from services.identity.signing import order_to_self
from tests.support.broker.rabbitmq import Server
from tests.support.daemons.daemon_market import DaemonMarket, DaemonProcess
from tests.support.daemons.forked_daemons import DaemonForks, ForkedDaemonProcess
from tests.support.roles.small_markets import COLUMNS, small_data, small_request

KEY_BITS = 1024


class SoakMarket(DaemonMarket):
    """See DaemonMarket; orders go straight to the broker, since a command for each would cost seconds."""

    def __init__(
        self, folder: Path, server: Server, forks: DaemonForks, *, owners: int, buyers: int, seed: int
    ) -> None:
        super().__init__(folder, server, COLUMNS, small_data(owners, seed=seed))
        self._forks, self._buyers = forks, buyers
        self._buses: dict[str, AmqpBus] = {}

    def names(self) -> list[str]:
        buyers = [f"buyer-{number}" for number in range(1, self._buyers + 1)]
        owners = [f"owner-{number}" for number in range(1, len(self.parts) + 1)]
        return [*buyers, "aggregator", *owners]

    @property
    def buyers(self) -> list[str]:
        return [name for name in self.addresses if name.startswith("buyer")]

    def keystore(self, name: str) -> Keystore:
        return Keystore.open(self.folder / f"{name}-keys", read_passphrase(self.passphrase_file(name)))

    def passphrase_file(self, name: str) -> Path:
        """Each party has its own, so that one can be changed."""
        return self.folder / f"{name}-passphrase"

    async def order(self, buyer: str, request: Request) -> None:
        """Give the buyer's daemon an order, as `deltaml train` does."""
        identity = self.keystore(buyer).identity
        bus = self._buses.get(buyer) or self._buses.setdefault(buyer, self.broker.bus(identity.address))
        await bus.publish(order_to_self(identity, self.market, "model_buyer", TrainingOrder(request=request)))

    def request(self, name: str, random: Random, **deadlines: int) -> Request:
        """Four to six owners, two or three rounds."""
        document: Mapping[str, Any] = small_request(
            name=name,
            schedule={"rounds": random.choice((2, 3)), "local_steps": 2, "step_size": "0.05", "tolerance": 0},
            owners={"minimum": 4, "maximum": random.choice((4, 5, 6))},
            aggregator=self.addresses["aggregator"],
            payment={"deposit_wei": str(10**15)},
            deadlines=deadlines,
            key_bits=KEY_BITS,
        )
        return parse_request(document)

    def _passphrase(self) -> None:
        for name in self.names():
            write_private(self.passphrase_file(name), b"a passphrase of tests\n")

    def _own(self, name: str) -> dict[str, Any]:
        return {**super()._own(name), "passphrase_file": f"{name}-passphrase"}

    def _daemon(self, name: str, kind: str) -> DaemonProcess:
        config = self.config(name)
        return ForkedDaemonProcess(name, kind, config, self._forks, least_key_bits=KEY_BITS)
