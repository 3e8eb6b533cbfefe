"""All members sign the product under noise, and the buyer's opening is held against it."""

from protocol.messages import OpeningRefused
from protocol.roles.engine.state import references
from protocol.signatures import sign_digest
from tests.support.roles.checked_aggregator import Stopped, facts_of, sent, stopped_before
from tests.support.roles.small_markets import altered, body_of, resigned


def named(effects) -> list[tuple[str, str]]:
    return [(data["participant"], data["code"]) for name, data in facts_of(effects) if name == "dropped"]


def test_the_buyer_is_asked_with_every_members_signature_and_sees_no_metric():
    before = stopped_before("metric_consent", 1, which=2)
    effects = before.receive()
    (request,) = (one.body for one in effects if one.effect == "send")
    assert (request.type, len(request.signatures)) == ("metric_opening_request", 3)
    metrics = {number for one in before.market.sent("proven_metric") for number in body_of(one).values}
    assert not metrics & set(request.product)
    assert sent(effects)[0][1] == before.market.buyer.address


def test_masks_and_blinding_are_forgotten_once_all_members_have_signed():
    before = stopped_before("metric_consent", 1, which=2)
    lane = before.lane
    secrets = {lane.exchange.mask.digest, lane.trained.exchange.mask.digest, lane.trained.blinding.digest}
    assert secrets <= set(references(before.party.decoded))
    before.receive()
    assert before.lane.status == "opening"
    assert not secrets & set(references(before.party.decoded))
    assert before.lane.answered.exchange.request == lane.exchange.request


def test_a_signature_of_something_else_is_refused():
    before = stopped_before("metric_consent", 1)
    member = before.market.parties[before.message.envelope.sender]
    other = sign_digest(member.signing_key, b"\1" * 32)
    assert before.refused(altered(before.market, before.message, signature=other)) == "bad_signature"
    trainer = before.market.trainers()[0].address
    assert before.refused(resigned(before.market, before.message, sender=trainer)) == "not_a_validator"


def test_a_signature_that_comes_again_changes_nothing():
    before = stopped_before("metric_consent", 1, which=1)
    first = next(one for one in before.market.sent("metric_consent") if one.envelope.round == 1)
    assert before.receive(first) == ()


def without_consent(*, checking: bool) -> tuple[Stopped, str]:
    """All members have signed the product but one, which checks the attempt or does not."""
    before = stopped_before("metric_consent", 1)
    consents = {
        one.envelope.sender: one for one in before.market.sent("metric_consent") if one.envelope.round == 1
    }
    sharing = {one.envelope.sender for one in before.market.sent("ring_shared") if one.envelope.round == 1}
    silent = next(one for one in consents if (one in sharing) == checking)
    for sender, consent in consents.items():
        if sender != silent:
            before.receive(consent)
    return before, silent


def test_a_member_that_has_not_signed_is_left_out():
    before, silent = without_consent(checking=False)
    assert named(before.fire("consents:1.1")) == [(silent, "consent_late")]


def test_members_have_their_time_to_sign_however_late_the_noise_was_made():
    effects = stopped_before("ring_shared", 1, which=3).receive()
    assert {kind for kind, _ in sent(effects)} == {"shown_noise"}
    assert [one.name for one in effects if one.effect == "timer"] == ["consents:1.1"]


def test_a_checker_that_may_wait_for_the_other_ones_share_of_noise_stays():
    before, _ = without_consent(checking=True)
    assert named(before.fire("consents:1.1")) == []
    assert before.lane.attempt == 2


def test_a_checker_that_has_not_committed_to_noise_is_left_out():
    before = stopped_before("ring_committed", 1, which=3)  # the last of four: two for each ring
    assert before.lane.status == "agreeing"
    effects = before.fire("consents:1.1")
    assert named(effects) == [(before.message.envelope.sender, "ring_late")]


def test_where_a_share_of_noise_is_missing_nobody_is_left_out():
    before = stopped_before("ring_shared", 1, which=3)
    assert before.lane.status == "agreeing"
    assert named(before.fire("consents:1.1")) == []
    assert before.lane.attempt == 2


def test_timers_of_what_is_over_change_nothing():
    before = stopped_before("opening", 1)
    for name in ("checks:1.1", "consents:1.1", "moments:1.1", "opening:1.2"):
        assert before.fire(name) == ()


def test_an_opening_is_the_buyers_and_of_the_product_that_it_was_asked_for():
    before = stopped_before("opening", 1)
    body = body_of(before.message)
    stranger = before.market.owners[0].address
    assert before.refused(resigned(before.market, before.message, sender=stranger)) == "wrong_sender"
    first, *others = body.plaintexts
    wrong = altered(before.market, before.message, plaintexts=(first + 1, *others))
    assert before.refused(wrong) == "bad_opening"
    record = body.record.model_copy(update={"mse_before": body.record.mse_before + 1})
    assert before.refused(altered(before.market, before.message, record=record)) == "wrong_record"
    signature = body.opening_signatures[0]
    other = altered(before.market, before.message, signature=signature)
    assert before.refused(other) == "bad_record_signature"
    assert before.refused(resigned(before.market, before.message, attempt=2)) == "attempt_out_of_order"


def test_an_opening_lets_the_members_sign_and_drops_the_masks():
    before = stopped_before("opening", 1)
    before.receive()
    assert before.lane.status == "signing"
    assert not hasattr(before.lane.trained, "exchange")


def test_errors_that_are_said_to_be_implausible_have_the_trainers_ranges_opened():
    before = stopped_before("opening", 1)
    market = before.market
    refused = market.message(market.buyer, market.aggregator, OpeningRefused(), round_number=1, attempt=1)
    effects = before.receive(refused)
    assert [kind for kind, _ in sent(effects)].count("ranges_asked") == 2
    assert before.party.decoded.failure is None


def test_a_buyer_that_does_not_open_is_named():
    before = stopped_before("opening", 1)
    effects = before.fire("opening:1.1")
    assert before.party.decoded.failure == "buyer_silent"
    assert {one.body.fault for one in effects if one.effect == "send"} == {before.market.buyer.address}
