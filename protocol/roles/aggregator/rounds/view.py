"""A round as the aggregator reads it again out of what it has kept: ciphertexts, proofs, products, rings."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from protocol.bodies import body_of
from protocol.crypto.cipher import Ciphertext, read_ciphertexts
from protocol.crypto.commitments import TrainingIdentity
from protocol.crypto.proofs.validator import MetricProofs
from protocol.crypto.ring.context import Maker, Purpose
from protocol.crypto.ring.shares import ShareForm
from protocol.envelope import SignedMessage
from protocol.learning.moments.exchange import MomentAnswer as MomentNumbers
from protocol.learning.moments.exchange import MomentMask
from protocol.learning.moments.products import Products
from protocol.learning.moments.widths import Start
from protocol.learning.projection.question import Projection
from protocol.learning.scales import MODEL_SCALE, UPDATE_SCALE
from protocol.messages import OpeningRefused
from protocol.messages.rounds import MomentAnswer, MomentRequest, ProvenMetric, ProvenUpdate
from protocol.messages.rounds.values import AttemptDigests
from protocol.roles.aggregator.attempts import (
    AnsweredAttempt,
    KeptMask,
    RangingLane,
    Rescaled,
    UnmaskedAttempt,
)
from protocol.roles.aggregator.lanes import Answer, DistributedLane, TrainedRound
from protocol.roles.aggregator.state import TrainingState
from protocol.roles.engine.context import Context
from protocol.roles.engine.state import BlobRef
from protocol.roles.engine.worked_out import WORK, Known, whose, worked_out
from protocol.roles.rounds.attempt import attempt_digests, identity_of, ring_context
from protocol.roles.rounds.carried import CarriedModels
from protocol.roles.rounds.forms import share_form
from protocol.roles.rounds.members import attempt_checkers, draw_hash, member_weights
from protocol.roles.rounds.opened_errors import SaidErrors
from protocol.roles.rounds.products import (
    MomentExchange,
    NextModelCheck,
    RangeCheck,
    read_mask,
    weighted_product,
)
from protocol.roles.rounds.proofs import ModelProofs, metric_proofs
from protocol.roles.rounds.questions import AskedQuestion
from protocol.roles.rounds.record import expected_start
from protocol.roles.rounds.ring_state import RingView
from protocol.roles.rounds.started import CommittedOwners
from protocol.roles.rounds.widths import CheckedWidths, checked_widths
from protocol.types import RoundAttempt
from protocol.vectors import EncryptedVector


@dataclass(frozen=True)
class TrainingView:
    """What every round of a training shares."""

    state: TrainingState
    context: Context = field(repr=False)

    @cached_property
    def known(self) -> Known:
        """What earlier steps have worked out of the same."""
        party = whose(self.context, self.state.training)
        return WORK.of(party, type(self).__name__, self.follows_from())

    def follows_from(self) -> tuple[Hashable, ...]:
        """All that the properties below follow from, the request and the key by their hash on the chain."""
        context, state = self.context, self.state
        place = (context.address, context.market, context.commitment_group)
        return (*place, state.opened, state.parties, state.owners)

    @worked_out
    def identity(self) -> TrainingIdentity:
        """What proofs and rings are bound to."""
        return identity_of(self.context, self.state.training, self.state.key)

    @worked_out
    def widths(self) -> CheckedWidths:
        """Every layout."""
        return checked_widths(self.state.request, self.state.parties)

    @worked_out
    def owners(self) -> CommittedOwners:
        """What everybody committed to."""
        return self.state.owners.load(CommittedOwners, self.context)

    def model(self, kept: BlobRef) -> list[Ciphertext]:
        """The ciphertexts of a kept model, scale f."""
        vector = kept.load(EncryptedVector, self.context)
        return vector.read(self.state.key, scale=MODEL_SCALE, count=self.state.request.parameters)

    def update_proofs(self, round_number: int) -> ModelProofs:
        """Of a round's updates."""
        return ModelProofs(self.state.key, self.identity, round_number, self.state.request)

    def start_of(self, trainer: str, lane: DistributedLane) -> EncryptedVector:
        """The model that a trainer is sent."""
        return self.carried(lane.carried).of(trainer, lane.start_model.load(EncryptedVector, self.context))

    def carried(self, kept: BlobRef | None) -> CarriedModels:
        """What trainers carry, where they do."""
        return CarriedModels() if kept is None else kept.load(CarriedModels, self.context)

    def updates(self, answers: Sequence[Answer]) -> list[list[Ciphertext]]:
        """The ciphertexts of kept updates, which were checked when they came."""
        bodies = (body_of(signed, ProvenUpdate) for signed in self.signed(answers))
        count = self.state.request.parameters
        return [body.local_model.read(self.state.key, scale=UPDATE_SCALE, count=count) for body in bodies]

    def signed(self, answers: Sequence[Answer]) -> tuple[SignedMessage, ...]:
        """The messages as they came."""
        return tuple(one.message.load(SignedMessage, self.context) for one in answers)

    def exchange(self, trainers: int, start: Start) -> MomentExchange:
        """How moments are asked for."""
        request = self.state.request
        return MomentExchange.of(self.state.key, self.widths.moments, trainers, start, request)

    def start(self, round_number: int, validators: int, attempt: int) -> Start:
        """How a round's start is measured by these members.

        The first attempt's members are those of the round before, whoever that will have been: nobody comes
        back, and who leaves is missed by the next attempt.
        """
        if self.state.request.schedule.begins_fold(round_number):
            return Start.PUBLIC
        return Start.UNMEASURED if attempt == 1 else expected_start(self.state.link, validators)


@dataclass(frozen=True)
class AttemptView(TrainingView):
    """What everybody can work out of the evidence of one attempt."""

    lane: AnsweredAttempt | UnmaskedAttempt

    def follows_from(self) -> tuple[Hashable, ...]:
        """Also from what the attempt is of."""
        lane = self.lane
        return (*super().follows_from(), lane.at, lane.validators, lane.trained, lane.exchange)

    @property
    def trained(self) -> TrainedRound:
        """The round."""
        return self.lane.trained

    @property
    def at(self) -> RoundAttempt:
        """The attempt."""
        return self.lane.at

    @worked_out
    def request_body(self) -> MomentRequest:
        """What the buyer was asked."""
        return self.lane.exchange.request.load(MomentRequest, self.context)

    @worked_out
    def answer_body(self) -> MomentAnswer:
        """What it has answered."""
        return body_of(self.lane.exchange.answer.load(SignedMessage, self.context), MomentAnswer)

    @worked_out
    def moments(self) -> MomentExchange:
        """How it was asked."""
        return self.exchange(self.trained.trainers.bit_count(), Start(self.request_body.start))

    @worked_out
    def answer(self) -> MomentNumbers:
        """The ciphertexts of that."""
        return self.moments.read_answer(self.answer_body.numbers)

    @cached_property
    def products(self) -> tuple[Products, ...]:
        """The P_ij of every slot set."""
        return self.moments.products(self.answer, self._mask())

    @cached_property
    def projection(self) -> Projection:
        """What a checker asks about."""
        updates, start = self.updates(self.trained.updates), self.model(self.trained.start_model)
        vectors = self.moments.measured(updates, start)
        return Projection(vectors, self.products, self.widths.projection)

    def question(self, asker: str) -> AskedQuestion:
        """What a checker may ask, as the other one judges it."""
        market, state = self.context.market, self.state
        return AskedQuestion(self.projection, market, state.training, self.at, state.opened.buyer, asker)

    @cached_property
    def metric_proofs(self) -> MetricProofs:
        """Of the members' metrics."""
        return metric_proofs(self.state.key, self.identity, self.at, self.products, self.state.request)

    @cached_property
    def next_model(self) -> NextModelCheck:
        """What the first ring opens."""
        model, updates = self.model(self.trained.refreshed_model), self.updates(self.trained.updates)
        return NextModelCheck(self.state.key, self.widths.next_model, model, updates, self.rescaled)

    @property
    def rescaled(self) -> list[list[Ciphertext]]:
        """The updates at the next model's scale, where trainers carry duals."""
        kept = self.trained.rescaled
        return [] if kept is None else self.moments.read_rescaled(kept.load(Rescaled, self.context).numbers)

    @cached_property
    def ranges(self) -> RangeCheck:
        """What is opened where the buyer's word is against the attempt."""
        return RangeCheck(self.state.key, self.widths.ranges, self.updates(self.trained.updates))

    def weighted(self, kept: Sequence[Answer]) -> list[Ciphertext]:
        """Π X_v^(w_v) of all members' metrics with the public offset."""
        sets, widths = self.moments.sets, self.widths.moments
        weights = member_weights(self.state.parties, self.lane.validators)
        return weighted_product(self.state.key, self.metrics(kept), list(weights.values()), sets, widths)

    def metrics(self, kept: Sequence[Answer]) -> list[list[Ciphertext]]:
        """The ciphertexts of kept metrics, which were checked when they came."""
        bodies = (body_of(signed, ProvenMetric) for signed in self.signed(kept))
        return [read_ciphertexts(self.state.key, body.values, len(self.moments.sets)) for body in bodies]

    def digests(self, product: bytes) -> AttemptDigests:
        """What both verdicts must say, with the digest of the next model's opened product."""
        trained = self.trained
        return attempt_digests(
            trained.start_model.load(EncryptedVector, self.context),
            self.signed(trained.updates),
            self.request_body,
            self.answer_body,
            trained.refreshed_model.load(EncryptedVector, self.context),
            product,
        )

    @property
    def checkers(self) -> tuple[str, str]:
        """The two, in the order of the ring."""
        hashed = draw_hash(self.context.market, self.state.training, self.state.parties)
        return attempt_checkers(self.state.parties, self.lane.validators, self.at, hashed)

    def other_checker(self, checker: str) -> str:
        """The one beside it."""
        first, second = self.checkers
        return second if checker == first else first

    def ring(self, purpose: Purpose) -> RingView:
        """Our place in one of the attempt's two rings."""
        makers = ring_context(self.identity, self.at, purpose, self.context.address, self.checkers)
        first, second = (self.owners.of(one).base for one in self.checkers)
        return RingView(self.state.key, makers, self._form(purpose), (first, second), Maker.AGGREGATOR)

    @property
    def said(self) -> SaidErrors:
        """What the buyer has said of errors in the word that the ranges were opened for."""
        assert isinstance(self.lane, RangingLane)
        refused = body_of(self.lane.complaint.load(SignedMessage, self.context), OpeningRefused)
        state = self.state
        return SaidErrors(
            exchange=self.moments,
            weights=member_weights(state.parties, self.lane.validators),
            request=state.request,
            parties=state.parties,
            link=state.link,
            trainers=self.trained.trainers,
            named=refused.named,
            negative=refused.negative,
        )

    def _form(self, purpose: Purpose) -> ShareForm:
        if purpose is Purpose.ERRORS:
            return self.said.form
        weights = sum(member_weights(self.state.parties, self.lane.validators).values())
        return share_form(purpose, self.state.request, self.widths, self.moments, weights)

    def _mask(self) -> MomentMask:
        assert isinstance(self.lane, AnsweredAttempt)  # nothing that needs it is asked of any other
        kept = self.lane.exchange.mask.load(KeptMask, self.context)
        return read_mask(kept.masks, kept.roots)
