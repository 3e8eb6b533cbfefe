"""One attempt at a checked round, in which aggregator, trainers and members are honest and in one place.

What the buyer is asked is made here step by step with the functions that all roles share, so that a test can
change any of it; the buyer's own handlers answer.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property, lru_cache
from typing import Any, NamedTuple

from gmpy2 import mpz

from protocol.bodies import body_of
from protocol.crypto.blinding import ShortExponentBlinder
from protocol.crypto.cipher import write_ciphertexts
from protocol.crypto.ring.context import Maker, Purpose
from protocol.crypto.ring.product import RingProduct
from protocol.envelope import SignedMessage
from protocol.learning.moments.exchange import MomentMask, moment_request
from protocol.learning.moments.products import next_model
from protocol.learning.moments.widths import Start
from protocol.learning.projection.question import Projection
from protocol.learning.scales import MODEL_SCALE, UPDATE_SCALE
from protocol.messages import RowCount
from protocol.messages.checked import (
    AttemptAnnounced,
    MetricOpeningRequest,
    MomentAnswer,
    MomentRequest,
    ProvenMetric,
    ProvenUpdate,
    RingOpeningRequest,
    RoundEvidence,
)
from protocol.messages.checked.values import AttemptFacts
from protocol.request_parsing import parse_request
from protocol.roles.buyer.checked.rounds import on_attempt_announced, on_moment_request
from protocol.roles.buyer.checked.state import CheckedRunningState
from protocol.roles.checked import ring
from protocol.roles.checked.attempt import (
    attempt_digests,
    consent_digest,
    evidence_digest,
    identity_of,
    ring_context,
)
from protocol.roles.checked.forms import metric_statement, share_form
from protocol.roles.checked.members import attempt_checkers, draw_hash, member_weights
from protocol.roles.checked.products import (
    MomentExchange,
    NextModelCheck,
    weighted_product,
    write_mask,
)
from protocol.roles.checked.proofs import metric_proofs, update_proofs
from protocol.roles.checked.ring_state import RingView
from protocol.roles.checked.start import first_link, start_model
from protocol.roles.checked.widths import checked_widths
from protocol.roles.engine.context import Context, Step
from protocol.roles.engine.effects import SendMessage, StoreBlob
from protocol.roles.owner.checked.committing import commit_to
from protocol.roles.shared.parties import Parties
from protocol.signatures import address_of, sign_digest
from protocol.types import RoundAttempt
from protocol.vectors import EncryptedVector
from tests.support.proofs import private_key
from tests.support.roles.pure_contract import MARKET, TRAINING
from tests.support.roles.pure_party import make_statistic
from tests.support.roles.ring_players import STREAM, Player, context_of, play, received
from tests.support.roles.small_markets import COLUMNS, small_data, small_request

AT = RoundAttempt(1, 1)


class CheckedAttempt:
    """The first attempt at the first round of two trainers and three validators, with a key of 1024 bits."""

    def __init__(self, bits: int = 1024, trainers: int = 2, validators: int = 3) -> None:
        self.private = private_key(bits)
        self.key = self.private.public_key
        keys = [STREAM.bytes(32) for _ in range(trainers + validators + 2)]
        self.keys = {address_of(one): one for one in keys}
        self.aggregator, self.buyer, *owners = self.keys
        values = small_request(key_bits=bits, schedule={"rounds": 3, "local_steps": 2, "step_size": "0.5"})
        self.request = parse_request({**values, "aggregator": self.aggregator})
        self.data = small_data(owners=trainers + validators)
        self.identity = identity_of(MARKET, TRAINING, self.key)
        statistics = [make_statistic(COLUMNS, rows) for rows in self.data]
        self.committed = {
            owner: commit_to(self.request, statistic, self.key, self.identity, owner, STREAM)
            for owner, statistic in zip(owners, statistics, strict=True)
        }
        drawn = (1 << trainers) - 1
        self.parties = Parties(
            seats=tuple(owners),
            trainers=drawn,
            validators=((1 << validators) - 1) << trainers,
            rows=tuple(
                RowCount(owner=one, rows=len(rows)) for one, rows in zip(owners, self.data, strict=True)
            ),
        )
        self.widths = checked_widths(self.request, self.parties)
        self.link = first_link(self.request, self.key)
        self.exchange = MomentExchange.of(self.key, self.widths.moments, trainers, Start.PUBLIC, self.request)
        self.start = start_model(self.request, self.key)

    # ---- the parties ----

    @cached_property
    def members(self) -> tuple[str, ...]:
        return self.parties.addresses(self.parties.validators)

    @cached_property
    def checkers(self) -> tuple[str, str]:
        return attempt_checkers(self.parties, self.parties.validators, AT, draw_hash(MARKET, TRAINING))

    def sent(self, sender: str, body: Any, *, to: str = "", at: tuple[int, int] = AT) -> Any:
        """A body that somebody sends to the buyer, or to another."""
        return received(sender, self.keys[sender], to or self.buyer, body, at)

    def running(self, **changes: Any) -> CheckedRunningState:
        """The buyer when the owners' commitments are known."""
        fields = {
            "request": self.request,
            "n": int(self.key.n),
            "parties": self.parties,
            "training": TRAINING,
            "link": self.link,
        }
        return CheckedRunningState(**{**fields, **changes})

    def context(self, blobs: dict[bytes, bytes] | None = None) -> Context:
        """A step of the buyer."""
        return context_of(self.buyer, self.keys[self.buyer], blobs, {"paillier": self.private.to_bytes()})

    # ---- the training ----

    @cached_property
    def updates(self) -> list[SignedMessage]:
        """The trainers' proven updates."""
        p = self.request.parameters
        model = self.start.read(self.key, scale=MODEL_SCALE, count=p)
        proofs = update_proofs(self.key, self.identity, 1, model, self.request)
        found = []
        for trainer in self.parties.addresses(self.parties.trainers):
            shown, secrets = self.committed[trainer]
            rows = secrets.map_rows()
            update, exponents = proofs.update(rows, shown.base, STREAM)
            proof = proofs.prove(shown, rows, update, exponents, proofs.draw_masks(STREAM))
            body = ProvenUpdate(
                local_model=EncryptedVector.of(self.key, update, UPDATE_SCALE),
                start_digest=self.start.digest(),
                proof=tuple(proof.write(self.key, proofs.bounds)),
            )
            found.append(self.sent(trainer, body, to=self.aggregator, at=(1, 0)).signed)
        return found

    @cached_property
    def vectors(self) -> list[list[mpz]]:
        p = self.request.parameters
        return [
            body_of(one, ProvenUpdate).local_model.read(self.key, scale=UPDATE_SCALE, count=p)
            for one in self.updates
        ]

    @cached_property
    def mask(self) -> MomentMask:
        return MomentMask.draw(self.key, self.exchange.values, self.widths.moments.request, STREAM)

    @cached_property
    def moment_request(self) -> MomentRequest:
        masked = moment_request(self.key, self.vectors, self.widths.moments, self.mask)
        return MomentRequest(
            masked=tuple(write_ciphertexts(self.key, masked)), trainers=len(self.vectors), start="public"
        )

    @property
    def announced(self) -> AttemptAnnounced:
        return AttemptAnnounced(members=self.members)


class MeasuredAttempt:
    """An attempt from the buyer's answer on: products, checks, metrics, the noisy product, consents."""

    def __init__(self, world: CheckedAttempt, answer: MomentAnswer) -> None:
        self.world, self.answer_body = world, answer
        self.answer = world.exchange.read_answer(answer.numbers)
        self.products = world.exchange.products(self.answer, world.mask)
        digits = world.mask.digits(world.exchange.vectors, world.widths.moments)
        blinder = ShortExponentBlinder(world.key, STREAM.bytes(32))
        self.model = next_model(world.key, self.answer, digits, world.exchange.trainers, blinder, STREAM)
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
        form = share_form(purpose, world.request, world.widths, world.exchange.sets, total)
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
        proofs = metric_proofs(world.key, world.identity, AT, self.products, world.request.parameters)
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
    state: CheckedRunningState


@lru_cache
def measuring() -> Measuring:
    """The buyer has answered the aggregator and knows the members; nothing has changed since."""
    world = checked_attempt()
    asked = world.sent(world.aggregator, world.moment_request)
    answered = on_moment_request(world.running(), asked, world.context())
    told = world.sent(world.aggregator, world.announced)
    announced = on_attempt_announced(answered.state, told, world.context())
    attempt = MeasuredAttempt(world, answers(answered)[0])
    assert isinstance(announced.state, CheckedRunningState)
    return Measuring(world, attempt, announced.state)


@lru_cache
def checked_attempt() -> CheckedAttempt:
    """The same for all tests of a module's process: commitments and proofs take a second."""
    return CheckedAttempt()


def effects_of(step: Step[Any], kind: type) -> list[Any]:
    return [one for one in step.effects if isinstance(one, kind)]


def blobs_of(step: Step[Any]) -> dict[bytes, bytes]:
    return {one.digest: one.content for one in effects_of(step, StoreBlob)}


def answers(step: Step[Any]) -> list[Any]:
    """The bodies that a step sends."""
    return [one.body for one in effects_of(step, SendMessage)]
