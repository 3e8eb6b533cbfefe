"""The files of a participant whose daemon runs elsewhere: configuration, keys and store."""

from pathlib import Path

import yaml

from protocol.codec import pack
from protocol.data_card import DataCard, cards_digest
from services.identity.keystore import Keystore
from services.records.offers import Asking, Offer, ToldOffer, asking_value, told_name
from services.store import Store
from tests.support.daemons.daemon_market import CHEAP

HUB = "0x" + "cc" * 20
OWN = {
    "model-buyer": {"aggregators": [HUB]},
    "data-owner": {"aggregators": ["0x" + "a1" * 20]},
    "aggregator": {"admitted": ["0x" + f"a{number}" * 20 for number in range(4)]},
}


def participant(folder: Path, kind: str, **settings: object) -> tuple[Path, str, Store]:
    """(configuration, address, the daemon's store, open as the daemon has it)."""
    address = Keystore.create(folder / f"{kind}-keys", "a passphrase of tests", cost=CHEAP).identity.address
    passphrase = folder / "passphrase"
    passphrase.write_text("a passphrase of tests\n")
    passphrase.chmod(0o600)
    document = {
        "daemon": kind,
        "broker": {"url": "amqp://participant@127.0.0.1:1/deltaml"},
        "chain": {"url": "http://127.0.0.1:1", "chain_id": 31337, "contract": "0x" + "c0" * 20},
        "keystore": f"{kind}-keys",
        "passphrase_file": "passphrase",
        "store": f"{kind}.sqlite",
        **OWN[kind],
        **settings,
    }
    config = folder / f"{kind}.yaml"
    config.write_text(yaml.safe_dump(document))
    return config, address, Store(f"sqlite:///{folder / kind}.sqlite")


def told(store: Store, cards: dict[str, DataCard], at: int, order: bytes = b"o" * 16) -> None:
    """Have the aggregator tell the buyer these cards by owner, asked by this order."""
    for owner, card in cards.items():
        content = pack(Offer.of((card,)))
        offer = ToldOffer(digest=cards_digest((card,)), at=at, content=content)
        store.put_value(told_name(HUB, owner), pack(offer))
    for name, content in asking_value(HUB, Asking(order=order, asked_at=at, told_at=at)).items():
        store.put_value(name, content)
