"""What an attempt is called by: whatever differs in it has another digest."""

import pytest

from protocol.crypto.ring.context import Purpose
from protocol.messages.rounds.values import AttemptFacts
from protocol.roles.rounds.attempt import (
    attempt_digests,
    consent_digest,
    evidence_digest,
    identity_of,
    numbers_digest,
    occasion_of,
    ring_context,
    transcript_digest,
    update_occasion,
)
from protocol.types import RoundAttempt
from tests.support.groups import market_identity
from tests.support.roles.checked_attempt import AT, MeasuredAttempt, measuring
from tests.support.roles.pure_contract import MARKET, TRAINING
from tests.support.roles.ring_players import context_of


@pytest.fixture(scope="module")
def attempt() -> MeasuredAttempt:
    return measuring().attempt


def test_identity_and_occasions_are_those_of_proofs_and_rings() -> None:
    world = measuring().world
    identity = identity_of(context_of("0x" + "aa" * 20, b"k" * 32), TRAINING, world.key)
    assert identity == market_identity(world.key)
    identity.require_key(world.key)
    assert (identity.chain_id, identity.training) == (MARKET.chain_id, TRAINING)
    assert update_occasion(4) == (4, 0, 0)
    assert occasion_of(RoundAttempt(4, 2)) == (4, 0, 2)


def test_a_division_of_numbers_counts() -> None:
    assert numbers_digest((b"ab", b"c")) != numbers_digest((b"a", b"bc"))


def test_evidence_that_differs_anywhere_has_another_digest(attempt: MeasuredAttempt) -> None:
    evidence = attempt.evidence
    other = {
        "masks": (b"\1" * 128,),
        "members": evidence.members[:2],
        "start": "unmeasured",
        "updates": evidence.updates[:1],
        "next_model": evidence.start_model,
    }
    digests = {evidence_digest(evidence.model_copy(update={name: value})) for name, value in other.items()}
    assert len(digests | {evidence_digest(evidence)}) == len(other) + 1


def test_digests_name_contents_and_updates_by_their_signed_messages(attempt: MeasuredAttempt) -> None:
    world = attempt.world
    found = attempt_digests(
        world.start, world.updates, world.moment_request, attempt.answer_body, attempt.next_model, b"p" * 32
    )
    assert found.start == world.link.model_digest
    assert found.updates == tuple(one.digest() for one in world.updates)
    assert found.request == attempt.answer_body.request_digest
    assert found.model == attempt.next_model.digest()


def changed(facts: AttemptFacts) -> list[AttemptFacts]:
    return [
        facts.model_copy(update={"members": facts.members >> 1}),
        facts.model_copy(update={"trainers": facts.trainers >> 1}),
        facts.model_copy(update={"start": "unmeasured"}),
        facts.model_copy(update={"evidence": bytes(32)}),
        facts.model_copy(update={"metrics": facts.metrics[::-1]}),
        facts.model_copy(update={"digests": facts.digests.model_copy(update={"model": bytes(32)})}),
    ]


def test_a_consent_is_to_one_product_of_one_attempt(attempt: MeasuredAttempt) -> None:
    """Shown for another attempt, other members or another model, it opens nothing."""
    world, facts, product = attempt.world, attempt.facts, attempt.noisy

    def context(at: RoundAttempt, purpose: Purpose = Purpose.METRIC):
        return ring_context(world.identity, at, purpose, world.aggregator, world.checkers)

    digests = [consent_digest(world.key, context(AT), product, one) for one in (facts, *changed(facts))]
    digests.append(consent_digest(world.key, context(RoundAttempt(1, 2)), product, facts))
    digests.append(consent_digest(world.key, context(AT, Purpose.NEXT_MODEL), product, facts))
    digests.append(consent_digest(world.key, context(AT), product[::-1], facts))
    assert len(set(digests)) == len(digests)


def test_the_transcript_continues_and_names_evidence_and_metrics(attempt: MeasuredAttempt) -> None:
    facts = attempt.facts
    digests = {transcript_digest(bytes(32), facts), transcript_digest(b"\1" * 32, facts)}
    digests |= {transcript_digest(bytes(32), one) for one in (changed(facts)[3], changed(facts)[4])}
    assert len(digests) == 4
