"""Everybody who tries to get around the admission: aggregators, buyers, owners and strangers."""

from collections.abc import Callable
from typing import Any

import pytest

from protocol.admission_policy import AdmissionPolicy
from protocol.codec import pack
from protocol.envelope import SignedMessage
from protocol.marketplace import Join
from protocol.messages import (
    AdmissionAnswer,
    AdmissionOrder,
    AdmissionRequest,
    InvitationAnswer,
)
from protocol.request import Request
from protocol.roles.aggregator.admission import MOST_ASKED
from protocol.roles.engine.inputs import MessageReceived, TimerFired
from protocol.seat_admission import SeatAdmission
from protocol.signatures import sign_digest
from tests.support.roles.admitting import (
    ASKS,
    REFUSES,
    admitted_join,
    asked,
    card_of,
    decide,
    granted,
    joining_with,
    market_under,
    order,
)
from tests.support.roles.pure_contract import MARKET, Refused
from tests.support.roles.pure_market import PureMarket
from tests.support.roles.pure_party import Party
from tests.support.roles.small_markets import (
    altered,
    body_of,
    refusal,
    resigned,
    without,
)


def signed_for(market: PureMarket, signer: Party, owner: str, commitment: bytes, /, **changes: Any) -> bytes:
    assert market.contract.opened is not None
    values = {
        "training": 1,
        "owner": owner,
        "request_hash": market.contract.opened.terms.request_hash,
        "commitment": commitment,
    }
    return sign_digest(signer.signing_key, SeatAdmission(**{**values, **changes}).digest(MARKET))


def test_an_aggregator_with_owners_of_its_own_seats_nobody_without_the_buyer() -> None:
    """Before there were admissions four of them took the whole deposit, in one block."""
    market = market_under(REFUSES, owners=8)
    market.intercept = without("admission_request", "admission_answer")
    market.run()
    for owner in market.owners:
        fair = admitted_join(market, owner.address)
        own = fair.model_copy(update={"buyer_signature": fair.aggregator_signature})
        with pytest.raises(Refused, match="bad_signature"):
            market.contract.apply(owner.address, own)
    assert market.contract.seats == []


def test_an_owner_that_is_not_listed_gets_no_seat_by_the_hash_of_a_listed_card() -> None:
    """Anybody can say a hash, and who listens or reads the market's cards knows those that are listed."""
    market = market_under(ASKS)
    known, liar = market.owners[:4], market.owners[4]
    cards = tuple(card_of(owner).hex() for owner in known)
    owners = tuple(owner.address for owner in known)
    market.buyer.policy = pack(AdmissionPolicy(owners=owners, cards=cards, others="refuse"))
    lie = joining_with(card_of(known[0]))

    def lying(message: SignedMessage) -> tuple[SignedMessage, ...]:
        envelope = message.envelope
        is_lie = envelope.type == "invitation_answer" and envelope.sender == liar.address
        return (altered(market, message, **lie) if is_lie else message,)

    market.intercept = lying
    market.run()
    answers = [body_of(one) for one in market.sent("admission_answer")]
    assert {one.code for one in answers if one.owner == liar.address} == {"owner_not_accepted"}
    assert set(market.contract.seats) == set(owners)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"training": 2}, "bad_admission"),
        ({"request_hash": b"\2" * 32}, "bad_admission"),
        ({"commitment": b"\3" * 32}, "bad_admission"),
        ({"owner": "0x" + "77" * 20}, "bad_admission"),
    ],
)
def test_the_buyer_signs_nothing_that_its_aggregator_signed_for_something_else(
    change: dict[str, Any], code: str
) -> None:
    market, message = asked()
    body = body_of(message)
    forged = signed_for(market, market.aggregator, body.owner, body.commitment, **change)
    assert refusal(market, market.buyer, altered(market, message, aggregator_signature=forged)) == code
    assert market.buyer.decoded.applications == ()  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"aggregator_signature": None}, "bad_admission"),
        ({"aggregator_signature": b"\0" * 65}, "bad_admission"),
        ({"commitment": b"\1" * 32}, "wrong_commitment"),
        ({"card": b"\1" * 32}, "wrong_commitment"),
        ({"committed": b"\1" * 32}, "wrong_commitment"),
        ({"owner": "0x" + "77" * 20}, "bad_admission"),
    ],
)
def test_the_buyer_signs_for_nobody_whom_its_aggregator_has_not_admitted(
    changes: dict[str, Any], code: str
) -> None:
    market, message = asked()
    assert refusal(market, market.buyer, altered(market, message, **changes)) == code
    assert market.buyer.decoded.applications == ()  # type: ignore[attr-defined]


@pytest.mark.parametrize("who", ["buyer", "aggregator"])
def test_buyer_and_aggregator_take_no_seat_themselves(who: str) -> None:
    market, message = asked()
    own: Party = getattr(market, who)
    signature = signed_for(market, market.aggregator, own.address, body_of(message).commitment)
    changes = {"owner": own.address, "aggregator_signature": signature}
    assert refusal(market, market.buyer, altered(market, message, **changes)) == "not_an_owner"


def test_only_the_aggregator_asks_the_buyer() -> None:
    market, message = asked()
    forged = resigned(market, message, sender=market.owners[0].address)
    assert refusal(market, market.buyer, forged) == "wrong_sender"


def test_a_buyer_that_the_terms_do_not_ask_signs_nothing() -> None:
    market = market_under(AdmissionPolicy(), "aggregator")
    message = market.run_until("invitation_answer", market.aggregator)
    body = body_of(message)
    asking = AdmissionRequest(
        owner=message.envelope.sender, card=body.card, commitment=body.commitment, committed=body.committed
    )
    signed = market.message(market.aggregator, market.buyer, asking)
    assert refusal(market, market.buyer, signed) == "not_asked"


def test_the_buyer_signs_one_commitment_of_an_owner() -> None:
    market, message = asked()
    market.deliver(market.buyer, MessageReceived(signed=message))
    before, sent = market.buyer.decoded, len(market.sent("admission_answer"))
    owner = body_of(message).owner
    changes: dict[str, Any] = {**joining_with()}
    changes["aggregator_signature"] = signed_for(market, market.aggregator, owner, changes["commitment"])
    again = altered(market, message, **changes)
    market.deliver(market.buyer, MessageReceived(signed=again))
    assert market.buyer.decoded == before
    [answer] = [body_of(one) for one in market.sent("admission_answer")[sent:]]
    assert (answer.code, answer.buyer_signature) == ("committed_otherwise", None)
    assert answer.commitment == changes["commitment"]


def test_the_aggregator_signs_one_commitment_of_an_owner() -> None:
    market = market_under(ASKS)
    market.run()
    owner = market.owners[0]
    message = next(m for m in market.sent("invitation_answer") if m.envelope.sender == owner.address)
    before, asked_before = market.aggregator.decoded, len(market.sent("admission_request"))
    again = altered(market, message, **joining_with())
    market.deliver(market.aggregator, MessageReceived(signed=again))
    assert market.aggregator.decoded == before
    assert len(market.sent("admission_request")) == asked_before
    answer = body_of(market.sent("admission_answer")[-1])
    assert (answer.code, answer.aggregator_signature) == ("committed_otherwise", None)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"commitment": None}, "malformed"),
        ({"card": None}, "malformed"),
        ({"committed": None}, "malformed"),
        ({"committed": b"\1" * 32}, "wrong_commitment"),
        ({"commitment": b"\1" * 32}, "wrong_commitment"),
        ({"card": b"\1" * 32}, "wrong_commitment"),
    ],
)
def test_the_aggregator_signs_for_what_belongs_to_the_owners_card(changes: dict[str, Any], code: str) -> None:
    market = market_under(AdmissionPolicy())
    message = market.run_until("invitation_answer", market.aggregator)
    assert refusal(market, market.aggregator, altered(market, message, **changes)) == code


def test_an_owner_cannot_ask_in_anothers_name() -> None:
    """What is signed is for the sender of the message, who cannot show what is behind another's digest."""
    market = market_under(AdmissionPolicy())
    message = market.run_until("invitation_answer", market.aggregator)
    other = next(owner for owner in market.owners if owner.address != message.envelope.sender)
    market.deliver(market.aggregator, MessageReceived(signed=resigned(market, message, sender=other.address)))
    taken = market.aggregator.decoded.application_of(other.address)
    assert taken is not None
    assert taken.commitment == body_of(message).commitment
    assert market.aggregator.decoded.application_of(message.envelope.sender) is None


def test_the_aggregator_takes_no_answer_but_the_buyers_own() -> None:
    market, message = asked()
    market.deliver(market.buyer, MessageReceived(signed=message))
    answer = market.run_until("admission_answer", market.aggregator)
    body = body_of(answer)
    wrong: dict[str, tuple[Callable[[], SignedMessage], str]] = {
        "sender": (lambda: resigned(market, answer, sender=market.owners[1].address), "wrong_sender"),
        "owner": (lambda: altered(market, answer, owner="0x" + "77" * 20), "unknown_application"),
        "commitment": (lambda: altered(market, answer, commitment=b"\1" * 32), "wrong_commitment"),
        "none": (lambda: altered(market, answer, buyer_signature=None), "bad_admission"),
        "another's": (
            lambda: altered(
                market,
                answer,
                buyer_signature=signed_for(market, market.aggregator, body.owner, body.commitment),
            ),
            "bad_admission",
        ),
    }
    for forged, code in wrong.values():
        assert refusal(market, market.aggregator, forged()) == code


@pytest.mark.parametrize("missing", ["aggregator_signature", "buyer_signature"])
def test_an_owner_joins_with_what_the_contract_will_take_alone(missing: str) -> None:
    market, message = granted()
    owner = market.parties[message.envelope.recipient]
    for forged in (None, signed_for(market, owner, owner.address, body_of(message).commitment)):
        spoilt = altered(market, message, **{missing: forged})
        assert refusal(market, owner, spoilt) == "bad_admission"
    market.deliver(owner, MessageReceived(signed=message))
    assert owner.address in market.contract.seats


def test_an_admission_of_another_training_owner_or_commitment_is_refused_by_owner_and_contract() -> None:
    market, message = granted()
    owner = market.parties[message.envelope.recipient]
    body = body_of(message)
    assert isinstance(body, AdmissionAnswer)
    joining = Join(training=1, commitment=body.commitment, nonce_digest=b"d" * 32)
    for change in ({"training": 2}, {"request_hash": b"\2" * 32}, {"owner": market.owners[-1].address}):
        forged = {
            name: signed_for(market, signer, owner.address, body.commitment, **change)
            for name, signer in (
                ("aggregator_signature", market.aggregator),
                ("buyer_signature", market.buyer),
            )
        }
        assert refusal(market, owner, altered(market, message, **forged)) == "bad_admission"
        with pytest.raises(Refused, match="bad_signature"):
            market.contract.apply(owner.address, joining.model_copy(update=forged))
    other = next(one for one in market.owners if one is not owner)
    assert refusal(market, other, resigned(market, message, recipient=other.address)) == "wrong_commitment"
    signatures = {"aggregator_signature": body.aggregator_signature, "buyer_signature": body.buyer_signature}
    stolen = joining.model_copy(update=signatures)
    with pytest.raises(Refused, match="bad_signature"):
        market.contract.apply(other.address, stolen)


def test_an_owner_takes_its_admission_from_its_aggregator_alone() -> None:
    market, message = granted()
    owner = market.parties[message.envelope.recipient]
    forged = resigned(market, message, sender=market.buyer.address)
    assert refusal(market, owner, forged) == "wrong_sender"


def test_nobody_orders_in_the_operators_place() -> None:
    market = market_under(ASKS)
    market.run()
    body = AdmissionOrder(training=1, owner=market.owners[0].address, admit=True)
    forged = market.message(market.aggregator, market.buyer, body)
    assert refusal(market, market.buyer, forged) == "wrong_sender"
    unknown = AdmissionOrder(training=1, owner="0x" + "77" * 20, admit=True)
    assert refusal(market, market.buyer, market.message(market.buyer, market.buyer, unknown)) == (
        "unknown_application"
    )
    decide(market, market.owners[0], admit=True)
    assert refusal(market, market.buyer, order(market, market.owners[0], admit=False)) == "decided_already"


def test_an_owner_that_asks_for_ever_makes_nobody_ask_for_ever() -> None:
    market = market_under(ASKS)
    market.run()
    owner = market.owners[0]
    message = next(m for m in market.sent("invitation_answer") if m.envelope.sender == owner.address)
    for _ in range(MOST_ASKED + 5):
        market.now += market.request.deadlines.step_s
        market.deliver(market.aggregator, MessageReceived(signed=resigned(market, message)))
    asked_about = [body_of(one).owner for one in market.sent("admission_request")]
    assert asked_about.count(owner.address) == MOST_ASKED


@pytest.mark.parametrize("policy", [ASKS, AdmissionPolicy()], ids=["waits", "admitted"])
def test_an_owner_that_asks_without_pause_makes_nobody_work(policy: AdmissionPolicy) -> None:
    market = market_under(policy)
    message = market.run_until("invitation_answer", market.aggregator)
    market.deliver(market.aggregator, MessageReceived(signed=message))
    question = market.run_until("admission_request", market.buyer)
    market.deliver(market.buyer, MessageReceived(signed=question))
    if policy is not ASKS:
        granted_by = market.run_until("admission_answer", market.aggregator)
        market.deliver(market.aggregator, MessageReceived(signed=granted_by))
    before, sent, noted = market.aggregator.decoded, len(market.wire), len(market.aggregator.facts)
    for _ in range(20):
        market.deliver(market.aggregator, MessageReceived(signed=resigned(market, message)))
    assert (market.aggregator.decoded, len(market.wire)) == (before, sent)
    market.now += market.request.deadlines.step_s
    for _ in range(20):
        market.deliver(market.aggregator, MessageReceived(signed=resigned(market, message)))
    assert len(market.wire) == sent + 1
    assert len(market.aggregator.facts) == noted


def test_an_acceptance_says_nothing_of_rows() -> None:
    """The commitment is the card's, and the digest of commitments, which are all of one size."""
    market = market_under(ASKS)
    market.run()
    for owner, message in zip(market.owners, market.sent("invitation_answer"), strict=True):
        committed = body_of(message).committed
        assert len(committed) == 32
        joining = joining_with(card_of(owner), committed)
        assert pack(InvitationAnswer(decision="accepted", code="accepted", **joining)) == message.body


def test_a_timer_from_before_the_admission_changes_nothing() -> None:
    market, message = granted()
    owner = market.parties[message.envelope.recipient]
    market.deliver(owner, MessageReceived(signed=message))
    before = owner.state
    market.deliver(owner, TimerFired(name="admission"))
    assert owner.state == before


def test_the_request_says_who_admits() -> None:
    request = Request.model_validate(
        {**market_under(AdmissionPolicy(), "buyer").request.model_dump(), "name": "other"}
    )
    assert request.terms(b"k" * 32).admission == "buyer"
