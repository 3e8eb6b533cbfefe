"""The aggregator's place in both rings: commitments, nonces, shares, signatures, and who is at fault."""

from protocol.envelope import SignedMessage
from tests.support.roles.checked_aggregator import facts_of, sent, stopped_before
from tests.support.roles.small_markets import altered, body_of, resigned


def named(effects) -> list[tuple[str, str]]:
    return [(data["participant"], data["code"]) for name, data in facts_of(effects) if name == "dropped"]


def of_purpose(name: str, purpose: str, which: int):
    """Before the `which`-th message of this name in the first round's ring of this purpose."""
    found, seen = 0, 0
    while True:
        before = stopped_before(name, 1, which=found)
        if body_of(before.message).purpose == purpose:
            if seen == which:
                return before
            seen += 1
        found += 1


def test_whoever_commits_a_second_time_to_something_else_is_refused():
    before = of_purpose("ring_committed", "next model", 1)
    first = next(
        one
        for one in before.market.sent("ring_committed")
        if one.envelope.recipient == before.market.aggregator.address and one.envelope.round == 1
    )
    assert before.receive(resigned(before.market, first)) == ()
    assert before.refused(altered(before.market, first, share=b"\0" * 32)) == "committed_twice"


def test_who_commits_to_something_else_than_all_were_shown_is_named():
    for purpose in ("next model", "metric"):
        before = of_purpose("ring_committed", purpose, 0)
        effects = before.receive(altered(before.market, before.message, statement=b"\0" * 32))
        assert named(effects) == [(before.message.envelope.sender, "other_statement")]


def test_a_member_that_does_not_check_has_no_place_in_the_ring():
    before = of_purpose("ring_committed", "next model", 0)
    makers = {one.envelope.sender for one in before.market.sent("ring_nonce") if one.envelope.round == 1}
    other = next(one.address for one in before.market.validators() if one.address not in makers)
    assert before.refused(resigned(before.market, before.message, sender=other)) == "not_a_maker"


def test_a_nonce_is_the_one_that_was_committed_to():
    before = of_purpose("ring_nonce", "next model", 0)
    assert before.refused(altered(before.market, before.message, nonce=b"\0" * 32)) == "bad_nonce"


def seed_shown(purpose: str):
    """Before the share whose seed is shown to the aggregator."""
    which = 0
    while True:
        before = of_purpose("ring_shared", purpose, which)
        if body_of(before.message).seed is not None:
            return before
        which += 1


def test_a_share_is_the_one_that_was_committed_to():
    before = seed_shown("next model")
    (first, *others) = body_of(before.message).share
    changed = (first[:-1] + bytes([first[-1] ^ 1]), *others)
    assert before.refused(altered(before.market, before.message, share=changed)) == "bad_share"


def test_a_checker_whose_seed_makes_another_share_is_named_before_anything_is_opened():
    for purpose, seed in (("next model", b"\1" * 32), ("metric", b"\1" * 32), ("next model", None)):
        before = seed_shown(purpose)
        wrong = altered(before.market, before.message, seed=seed)
        effects = before.receive(wrong)
        assert named(effects) == [(before.message.envelope.sender, "false_share")]
        assert before.lane.status == "asking"
        assert not {kind for kind, _ in sent(effects)} & {"ring_opening_request", "shown_noise"}


def test_the_sums_are_opened_with_three_signatures_of_the_product():
    before = stopped_before("ring_consent", 1, which=1)
    assert before.refused(altered(before.market, before.message, signature=None)) == "bad_signature"
    other = body_of(
        next(
            one
            for one in before.market.sent("ring_consent")
            if one.envelope.sender != before.message.envelope.sender
        )
    ).signature
    assert before.refused(altered(before.market, before.message, signature=other)) == "bad_signature"
    effects = before.receive()
    (request,) = (one.body for one in effects if one.effect == "send")
    assert (request.type, len(request.signatures)) == ("ring_opening_request", 3)


def test_a_signature_that_comes_again_opens_nothing_again():
    before = stopped_before("check_verdict", 1)
    again = next(one for one in before.market.sent("ring_consent") if one.envelope.round == 1)
    assert before.receive(again) == ()


# ---- refusals ----


def refusing(before, sender: str, shown=None):
    """A refusal of the share before one's own, by this checker, in the ring of the message that was due."""
    changes = {"signature": None, "refused": True, "shown": shown}
    return resigned(before.market, altered(before.market, before.message, **changes), sender=sender)


def seeds_shown(before) -> dict[str, SignedMessage]:
    """By sender: the share with its seed, as the next one was sent it."""
    shared = (one for one in before.market.sent("ring_shared") if one.envelope.round == 1)
    return {one.envelope.sender: one for one in shared if body_of(one).seed and _of_first_ring(one)}


def _of_first_ring(one: SignedMessage) -> bool:
    return body_of(one).purpose == "next model"


def test_the_first_checker_that_refuses_our_share_lies():
    before = stopped_before("ring_consent", 1)
    first = seeds_shown(before)[before.market.aggregator.address].envelope.recipient
    effects = before.receive(refusing(before, first))
    assert named(effects) == [(first, "false_complaint")]


def test_of_the_second_one_shows_what_it_was_sent_who_lies():
    before = stopped_before("ring_consent", 1)
    shown = seeds_shown(before)
    first = shown[before.market.aggregator.address].envelope.recipient
    honest, second = shown[first], shown[first].envelope.recipient
    elsewhere = {
        "nothing": None,
        "an honest share": honest,
        "another attempt's": altered(before.market, resigned(before.market, honest, attempt=2), seed=None),
        "another ring's": altered(before.market, honest, seed=None, purpose="metric"),
        "to another": altered(before.market, resigned(before.market, honest, recipient=first), seed=None),
        "its own": altered(before.market, resigned(before.market, honest, sender=second), seed=None),
        "no share": altered(before.market, honest, seed=None, share=(b"\0",)),
        "unsigned": SignedMessage(
            envelope=honest.envelope,
            body=altered(before.market, honest, seed=None).body,
            signature=honest.signature,
        ),
    }
    for name, evidence in elsewhere.items():
        before = stopped_before("ring_consent", 1)
        assert named(before.receive(refusing(before, second, evidence))) == [(second, "false_complaint")], (
            name
        )
    for seed in (None, b"\1" * 32):
        before = stopped_before("ring_consent", 1)
        wrong = altered(before.market, honest, seed=seed)
        assert named(before.receive(refusing(before, second, wrong))) == [(first, "false_share")]
        assert before.lane.validators.bit_count() == 2
