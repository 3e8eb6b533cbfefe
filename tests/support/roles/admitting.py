"""Markets with admissions under way, and calls to join as admitted owners make them."""

from protocol.admission_policy import AdmissionPolicy
from protocol.codec import pack, unpack
from protocol.data_card import DataCard
from protocol.envelope import SignedMessage
from protocol.join_digests import checked_commitment
from protocol.marketplace import Join
from protocol.messages import (
    AdmissionOrder,
)
from protocol.records import Market
from protocol.roles.engine.inputs import MessageReceived
from protocol.seat_admission import SeatAdmission
from protocol.signatures import sign_digest
from protocol.terms import Terms
from tests.support.roles.pure_contract import MARKET
from tests.support.roles.pure_market import PureMarket
from tests.support.roles.pure_party import Party
from tests.support.roles.small_markets import (
    ONE_ROUND,
    small_data,
    small_market,
    small_request,
)
from tests.support.seats import join_with_nonce


def signed_join(
    market: Market, call: Join, terms: Terms, owner: str, *, aggregator: bytes, buyer: bytes
) -> Join:
    """The call of an owner that those with these signing keys admit."""
    digest = SeatAdmission(
        training=call.training, owner=owner, request_hash=terms.request_hash, commitment=call.commitment
    ).digest(market)
    signatures = {
        "aggregator_signature": sign_digest(aggregator, digest),
        "buyer_signature": sign_digest(buyer, digest),
    }
    return call.model_copy(update=signatures)


def admitted_join(market: PureMarket, owner: str, call: Join | None = None) -> Join:
    """The call of an owner that both admit to the market's training, whatever they know of it."""
    assert market.contract.opened is not None
    keys = {"aggregator": market.aggregator.signing_key, "buyer": market.buyer.signing_key}
    return signed_join(MARKET, call or join_with_nonce(owner), market.contract.opened.terms, owner, **keys)


def joining_with(card: bytes = b"\x09" * 32, committed: bytes = b"\x08" * 32) -> dict[str, bytes]:
    """The card and the commitments of an acceptance; nobody has seen yet what these are of."""
    return {"card": card, "committed": committed, "commitment": checked_commitment(card, committed)}


ASKS, REFUSES = AdmissionPolicy(others="ask"), AdmissionPolicy(others="refuse")


def market_under(policy: AdmissionPolicy, admission: str = "both", owners: int = 5) -> PureMarket:
    """A market whose buyer has this policy."""
    bounds = {"minimum": 4, "maximum": 8, "admission": admission}
    market = small_market(small_request(owners=bounds, schedule=ONE_ROUND), small_data(owners=owners))
    market.buyer.policy = pack(policy)
    return market


def card_of(owner: Party) -> bytes:
    content = next(value for name, value in owner.private.items() if name.startswith("card:"))
    return unpack(DataCard, content).hash()


def order(market: PureMarket, owner: Party, *, admit: bool) -> SignedMessage:
    """A person at the buyer's daemon decides."""
    body = AdmissionOrder(training=1, owner=owner.address, admit=admit)
    return market.message(market.buyer, market.buyer, body)


def decide(market: PureMarket, owner: Party, *, admit: bool) -> None:
    market.deliver(market.buyer, MessageReceived(signed=order(market, owner, admit=admit)))
    market.run()


def asked() -> tuple[PureMarket, SignedMessage]:
    """A market, and the aggregator's first question about an owner, on its way to the buyer."""
    market = market_under(AdmissionPolicy())
    return market, market.run_until("admission_request", market.buyer)


def granted() -> tuple[PureMarket, SignedMessage]:
    """A market, and the aggregator's first grant, on its way to its owner."""
    market = market_under(AdmissionPolicy())
    while True:
        message = market.run_until("admission_answer")
        if message.envelope.sender == market.aggregator.address:
            return market, message
        market.deliver(market.aggregator, MessageReceived(signed=message))
