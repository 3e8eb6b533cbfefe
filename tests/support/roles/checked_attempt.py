"""One attempt at a checked round, in which aggregator, trainers and members are honest and in one place.

What the buyer is asked is made here step by step with the functions that all roles share, so that a test can
change any of it; the buyer's own handlers answer.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property, lru_cache
from typing import Any, NamedTuple

from gmpy2 import mpz

from protocol.crypto.blinding import ShortExponentBlinder
from protocol.crypto.cipher import write_ciphertexts
from protocol.crypto.randomness import Randomness
from protocol.crypto.ring.context import Maker, Purpose
from protocol.crypto.ring.product import RingProduct
from protocol.envelope import SignedMessage
from protocol.learning.moments.products import next_model
from protocol.learning.projection.question import Projection
from protocol.learning.scales import MODEL_SCALE
from protocol.messages.rounds import (
    MetricOpeningRequest,
    MomentAnswer,
    ProvenMetric,
    RingOpeningRequest,
    RoundEvidence,
)
from protocol.messages.rounds.values import AttemptFacts
from protocol.roles.buyer.rounds.exchanges import on_attempt_announced, on_moment_request
from protocol.roles.buyer.state import RunningState
from protocol.roles.engine.context import Step
from protocol.roles.engine.effects import SendMessage, StoreBlob
from protocol.roles.rounds import ring
from protocol.roles.rounds.attempt import attempt_digests, consent_digest, evidence_digest, ring_context
from protocol.roles.rounds.forms import metric_statement, share_form
from protocol.roles.rounds.members import member_weights
from protocol.roles.rounds.products import NextModelCheck, weighted_product, write_mask
from protocol.roles.rounds.proofs import metric_proofs
from protocol.roles.rounds.ring_state import RingView
from protocol.signatures import sign_digest
from protocol.vectors import EncryptedVector
from tests.support.roles.checked_world import AT, CheckedAttempt, checked_attempt
from tests.support.roles.ring_players import STREAM, Player, play


class MeasuredAttempt:
    """An attempt from the buyer's answer on: products, checks, metrics, the noisy product, consents."""

    def __init__(self, world: CheckedAttempt, answer: MomentAnswer) -> None:
        self.world, self.answer_body = world, answer
        self.answer = world.exchange.read_answer(answer.numbers)
        self.products = world.exchange.products(self.answer, world.mask)
        digits = world.mask.digits(world.exchange.vectors, world.widths.moments)
        blinder = ShortExponentBlinder(world.key, STREAM.bytes(32))
        seed, trainers = STREAM.bytes(32), world.exchange.trainers
        self.model = next_model(world.key, self.answer, digits, trainers, blinder, Randomness(seed))
        self.model_roots = blinder.roots(len(self.model), Randomness(seed))
        self.next_model = EncryptedVector.of(world.key, self.model, MODEL_SCALE)
        self.weights = member_weights(world.parties, world.parties.validators)

    @cached_property
    def projection(self) -> Projection:
        return Projection(self.world.vectors, self.products, self.world.widths.projection)

    @cached_property
    def check(self) -> NextModelCheck:
        return NextModelCheck(self.world.key, self.world.widths.next_model, self.model, self.world.vectors)

    def players(self, purpose: Purpose, statement: bytes) -> dict[Maker, Player]:
        """The ring's three makers."""
        world = self.world
        context = ring_context(world.identity, AT, purpose, world.aggregator, world.checkers)
        total = sum(self.weights.values())
        form = share_form(purpose, world.request, world.widths, world.exchange, total)
        first, second = (world.committed[one][0].base for one in world.checkers)
        return {
            maker: Player(
                RingView(world.key, context, form, (first, second), maker),
                world.keys[context.parties[maker]],
                statement,
            )
            for maker in Maker
        }

    @cached_property
    def model_ring(self) -> dict[Maker, Player]:
        """The ring over the next model, played to its end."""
        players = self.players(Purpose.NEXT_MODEL, self.check.statement())
        play(players)
        return players

    def model_product(self, players: dict[Maker, Player], check: NextModelCheck | None = None) -> RingProduct:
        """What all three makers of a finished ring form, and would have opened."""
        formed = []
        for player in players.values():
            chance = ring.chance(player.ring, player.view)
            formed.append(player.product((check or self.check).sums(chance)))
        assert formed[0].ciphertexts == formed[1].ciphertexts == formed[2].ciphertexts
        return formed[0]

    def ring_request(
        self, model: Sequence[mpz] | None = None, signers: Sequence[Maker] = tuple(Maker)
    ) -> RingOpeningRequest:
        """To open the check of the next model, or of another one, signed by the makers or by others."""
        check = self.check if model is None else replace(self.check, model=model)
        players = self.model_ring
        if model is not None:
            players = self.players(Purpose.NEXT_MODEL, check.statement())
            play(players)
        product = self.model_product(players, check)
        digests = {
            maker: ring.digest_to_sign(player.ring, player.view, product, player.context())
            for maker, player in players.items()
        }
        return RingOpeningRequest(
            purpose="next model",
            product=tuple(write_ciphertexts(self.world.key, product.ciphertexts)),
            signatures=tuple(sign_digest(players[one].signing_key, digests[one]) for one in signers),
        )

    # ---- the metric ----

    @cached_property
    def metrics(self) -> list[tuple[tuple[mpz, ...], SignedMessage]]:
        """Every member's, with the message that proves it."""
        world = self.world
        proofs = metric_proofs(world.key, world.identity, AT, self.products, world.request)
        found = []
        for member in world.members:
            shown, secrets = world.committed[member]
            gram = secrets.gram.vector()
            metric, exponents = proofs.metric(gram, shown.base, STREAM)
            proof = proofs.prove(shown, gram, metric, exponents, proofs.draw_masks(STREAM))
            body = ProvenMetric(
                evidence_digest=evidence_digest(self.evidence),
                values=tuple(write_ciphertexts(world.key, metric)),
                proof=tuple(proof.write(world.key, proofs.bounds)),
            )
            found.append((metric, world.sent(member, body, to=world.aggregator).signed))
        return found

    @cached_property
    def evidence(self) -> RoundEvidence:
        world = self.world
        masks, roots = write_mask(world.key, world.mask)
        return RoundEvidence(
            start_model=world.start,
            start="public",
            updates=tuple(world.updates),
            request=world.moment_request,
            answer=world.sent(world.buyer, self.answer_body, to=world.aggregator).signed,
            masks=masks,
            mask_roots=roots,
            next_model=self.next_model,
            model_roots=tuple(
                int(one).to_bytes((world.key.bits + 7) // 8, "big") for one in self.model_roots
            ),
            members=world.members,
        )

    @cached_property
    def facts(self) -> AttemptFacts:
        world = self.world
        digests = attempt_digests(
            world.start, world.updates, world.moment_request, self.answer_body, self.next_model, b"p" * 32
        )
        return AttemptFacts(
            trainers=world.parties.trainers,
            members=world.parties.validators,
            start="public",
            digests=digests,
            evidence=evidence_digest(self.evidence),
            metrics=tuple(signed.digest() for _, signed in self.metrics),
        )

    @cached_property
    def weighted(self) -> list[mpz]:
        world = self.world
        metrics = [metric for metric, _ in self.metrics]
        weights = list(self.weights.values())
        return weighted_product(world.key, metrics, weights, world.exchange.sets, world.widths.moments)

    @cached_property
    def noisy(self) -> list[mpz]:
        """The product that the buyer gets."""
        players = self.players(Purpose.METRIC, metric_statement(self.world.key, self.weighted))
        play(players)
        made = [list(one.product(self.weighted).ciphertexts) for one in players.values()]
        assert made[0] == made[1] == made[2]
        return made[0]

    def opening_request(
        self,
        product: Sequence[mpz] | None = None,
        facts: AttemptFacts | None = None,
        signers: Sequence[str] | None = None,
    ) -> MetricOpeningRequest:
        """Signed by every member, or by others."""
        world = self.world
        chosen, told = list(product or self.noisy), facts or self.facts
        ring = ring_context(world.identity, AT, Purpose.METRIC, world.aggregator, world.checkers)
        digest = consent_digest(world.key, ring, chosen, told)
        return MetricOpeningRequest(
            product=tuple(write_ciphertexts(world.key, chosen)),
            facts=told,
            signatures=tuple(sign_digest(world.keys[one], digest) for one in signers or world.members),
        )


class Measuring(NamedTuple):
    """An attempt under way, and the buyer when it knows who takes part."""

    world: CheckedAttempt
    attempt: MeasuredAttempt
    state: RunningState


@lru_cache
def measuring() -> Measuring:
    """The buyer has answered the aggregator and knows the members; nothing has changed since."""
    world = checked_attempt()
    asked = world.sent(world.aggregator, world.moment_request)
    answered = on_moment_request(world.running(), asked, world.context())
    told = world.sent(world.aggregator, world.announced)
    announced = on_attempt_announced(answered.state, told, world.context())
    attempt = MeasuredAttempt(world, answers(answered)[0])
    assert isinstance(announced.state, RunningState)
    return Measuring(world, attempt, announced.state)


def effects_of(step: Step[Any], kind: type) -> list[Any]:
    return [one for one in step.effects if isinstance(one, kind)]


def blobs_of(step: Step[Any]) -> dict[bytes, bytes]:
    return {one.digest: one.content for one in effects_of(step, StoreBlob)}


def answers(step: Step[Any]) -> list[Any]:
    """The bodies that a step sends."""
    return [one.body for one in effects_of(step, SendMessage)]
