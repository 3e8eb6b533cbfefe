"""What is on offer in a buyer's store, as an aggregator has told its daemon."""

from protocol.messages.examples import any_request
from services.records.offers import Asking, asking_value
from tests.support.console.world import ConsoleWorld
from tests.support.daemons.offers import OWNERS, OfferMarket, card

AGGREGATOR = any_request().aggregator


def tell_offers(world: ConsoleWorld) -> None:
    """Three owners list a data set that serves `any_request`, a fourth one that lacks its target."""
    world.party.names[OWNERS[0]] = "Clinic <north>"
    market = OfferMarket()
    for owner in OWNERS[:3]:
        market.announce(owner, card("<b>clinic</b>", licence="CC-BY-4.0"))
    market.announce(OWNERS[3], card("short", columns=card().columns[:2]))
    market.ask()
    for name, content in market.store.values(f"told:{market.hub.address}:").items():
        world.store.put_value(f"told:{AGGREGATOR}:{name}", content)
    for name, content in asking_value(AGGREGATOR, Asking(order=b"o" * 16, asked_at=1, told_at=2)).items():
        world.store.put_value(name, content)
    market.close()
