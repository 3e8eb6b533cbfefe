"""A broker of a test process' own, which its tests may kill; it also asks for certificates."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.broker.certificates import Authority
from tests.support.broker.private_rabbitmq import PrivateBroker, private_broker


@dataclass(frozen=True)
class OwnBroker:
    """The broker, and who has issued its certificate and may issue its clients'."""

    broker: PrivateBroker
    authority: Authority


@contextmanager
def own_broker(folder: Path) -> Iterator[OwnBroker]:
    """Start one; `folder` is made, for the certificates."""
    authority = Authority(folder)
    certificate, key = authority.issue("broker", extensions="subjectAltName=DNS:localhost")
    with private_broker({"ca": authority.certificate, "certificate": certificate, "key": key}) as broker:
        yield OwnBroker(broker, authority)
