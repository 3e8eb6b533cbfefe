"""A round as a member is shown it: the evidence of the aggregator, read, and what follows from it.

Reading checks that numbers are of their kind and that messages are signed by whom they should be; what they
claim is examined in `evidence`. Steps read stored evidence again where their process does not know it.
"""

from collections.abc import Hashable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Protocol, TypeVar

from gmpy2 import mpz

from protocol.bodies import body_of
from protocol.crypto.cipher import Ciphertext, PowerTables, PublicKey
from protocol.crypto.commitments import TrainingIdentity
from protocol.crypto.proofs.trainer import UpdateClaim
from protocol.crypto.proofs.validator import MetricProofs
from protocol.envelope import SignedMessage
from protocol.learning.moments.exchange import MomentAnswer as Answer
from protocol.learning.moments.exchange import MomentMask, vector_tables
from protocol.learning.moments.products import Products
from protocol.learning.projection.question import Projection
from protocol.learning.scales import MODEL_SCALE
from protocol.marketplace import Opened
from protocol.messages.catalogue import MessageBody
from protocol.messages.rounds import MomentAnswer, MomentRequest, ProvenUpdate, RoundEvidence
from protocol.messages.rounds.values import START_OF, AttemptDigests
from protocol.request import Request
from protocol.roles.engine.context import Context
from protocol.roles.engine.refusals import require
from protocol.roles.engine.state import BlobRef
from protocol.roles.engine.worked_out import WORK, Known, whose, worked_out
from protocol.roles.owner.attempts import Attempt
from protocol.roles.rounds.attempt import attempt_digests, identity_of, numbers_digest
from protocol.roles.rounds.carried import CarriedModels
from protocol.roles.rounds.products import MomentExchange, NextModelCheck, RangeCheck, read_mask
from protocol.roles.rounds.proofs import ModelProofs, metric_proofs, read_update
from protocol.roles.rounds.started import CommittedOwners
from protocol.roles.rounds.widths import CheckedWidths, started_widths
from protocol.roles.shared.parties import Parties, public_key_of
from protocol.roles.shared.transcript import TranscriptHead
from protocol.types import RoundAttempt
from protocol.vectors import EncryptedVector

Body = TypeVar("Body", bound=MessageBody)
_OTHER = "wrong_evidence"
_KIND = "evidence"
"""Of what is kept for an attempt's later steps: but for the message itself, in which masks are."""


class ShownTraining(Protocol):
    """What evidence is read against: a member's own state, or a training that is rebuilt from a transcript.

    `n` is the modulus of the training's key, `owners` refers to everybody's commitments (`CommittedOwners`),
    `link` is None before the first round.
    """

    @property
    def training(self) -> int:
        """The contract's number."""

    @property
    def n(self) -> int:
        """The modulus."""

    @property
    def request(self) -> Request:
        """The request that the deposit was paid for."""

    @property
    def opened(self) -> Opened:
        """The opening on the chain."""

    @property
    def parties(self) -> Parties:
        """Seats, roles and rows."""

    @property
    def owners(self) -> BlobRef | None:
        """Everybody's commitments, once they are shown."""

    @property
    def carried(self) -> BlobRef | None:
        """What trainers carry into the next round (`CarriedModels`); None before the first one."""

    @property
    def link(self) -> TranscriptHead | None:
        """Where the chain of rounds stands."""

    @property
    def attempt(self) -> Attempt | None:
        """The attempt under way."""


@dataclass(frozen=True)
class RoundView:
    """Evidence of one attempt as its reader sees it; nothing is read before it is asked for.

    Whatever is asked for raises ProtocolViolation where the evidence does not hold it: "wrong_evidence" for
    messages of another kind, place or sender, "bad_signature", "malformed", and those of the numbers.
    """

    state: ShownTraining
    at: RoundAttempt
    body: RoundEvidence
    context: Context = field(repr=False)
    known: Known = field(default_factory=dict, repr=False, compare=False)

    @worked_out
    def key(self) -> PublicKey:
        """The training's."""
        return public_key_of(self.state.n)

    @worked_out
    def identity(self) -> TrainingIdentity:
        """What proofs are bound to."""
        return identity_of(self.context, self.state.training, self.key)

    @worked_out
    def widths(self) -> CheckedWidths:
        """Every layout; raises EarlyInput until the aggregator has told who committed to what."""
        return started_widths(self.state.request, self.state.parties)

    @worked_out
    def owners(self) -> CommittedOwners:
        """What everybody committed to."""
        assert self.state.owners is not None
        return self.state.owners.load(CommittedOwners, self.context)

    @worked_out
    def trainers(self) -> int:
        """The seats of those with an update; raises ProtocolViolation for others than drawn ones in order."""
        parties = self.state.parties
        names = tuple(signed.envelope.sender for signed in self.body.updates)
        mask = parties.mask(names)
        require(names == parties.addresses(mask), "updates_out_of_order")
        require(mask & ~parties.trainers == 0 and mask.bit_count() >= 2, "wrong_trainers")
        return mask

    @worked_out
    def exchange(self) -> MomentExchange:
        """How the moments are asked for."""
        start, count = START_OF[self.body.start], self.trainers.bit_count()
        return MomentExchange.of(self.key, self.widths.moments, count, start, self.state.request)

    # ---- the updates ----

    @worked_out
    def start(self) -> list[Ciphertext]:
        """Enc(x), p ciphertexts at scale f."""
        return self.body.start_model.read(self.key, scale=MODEL_SCALE, count=self.state.request.parameters)

    @worked_out
    def carried(self) -> CarriedModels:
        """What trainers have carried into the round."""
        kept = self.state.carried
        return CarriedModels() if kept is None else kept.load(CarriedModels, self.context)

    @worked_out
    def carried_on(self) -> CarriedModels:
        """What they carry into the next one."""
        names = self.state.parties.addresses(self.trainers)
        return self.carried.after(self.key, names, self.body.start_model, self.model, self.rescaled)

    @cached_property
    def update_proofs(self) -> ModelProofs:
        """As each trainer has set them up."""
        return ModelProofs(self.key, self.identity, self.at.round, self.state.request)

    @worked_out
    def claims(self) -> list[UpdateClaim]:
        """The trainers' signed updates and proofs, unverified."""
        return [self._claim(signed) for signed in self.body.updates]

    def unproven(self) -> list[str]:
        """The trainers whose proofs do not hold."""
        starts = [self._start_of(signed.envelope.sender) for signed in self.body.updates]
        return self.update_proofs.unproven(zip(starts, self.claims, strict=True))

    @property
    def updates(self) -> list[tuple[Ciphertext, ...]]:
        """Enc(θ_t), p ciphertexts each at scale s, in seat order."""
        return [claim.update for claim in self.claims]

    def _claim(self, signed: SignedMessage) -> UpdateClaim:
        sender = signed.envelope.sender
        update = self.signed(signed, ProvenUpdate, sender, attempt=signed.envelope.attempt)
        start = self._start_of(sender)
        require(update.start_digest == start.digest(), "wrong_start_model", sender)
        return read_update(self.update_proofs.of(start), sender, update, self.owners.of(sender))

    def _start_of(self, trainer: str) -> EncryptedVector:
        return self.carried.of(trainer, self.body.start_model)

    # ---- the exchange with the buyer ----

    @worked_out
    def request_body(self) -> MomentRequest:
        """What the aggregator has asked the buyer in this attempt, for these trainers and this start."""
        asked = self.body.request
        require(asked.trainers == self.trainers.bit_count() and asked.start == self.body.start, _OTHER)
        return asked

    @worked_out
    def request(self) -> list[Ciphertext]:
        """Its ciphertexts."""
        return self.exchange.read_request(self.request_body.masked)

    @cached_property
    def mask(self) -> MomentMask:
        """What the request is said to be masked with."""
        return read_mask(self.body.masks, self.body.mask_roots)

    @worked_out
    def answer_body(self) -> MomentAnswer:
        """What the buyer has answered to that request."""
        answered = self.signed(self.body.answer, MomentAnswer, self.state.opened.buyer)
        require(answered.request_digest == numbers_digest(self.request_body.masked), _OTHER)
        return answered

    @worked_out
    def answer(self) -> Answer:
        """Its ciphertexts."""
        return self.exchange.read_answer(self.answer_body.numbers)

    @worked_out
    def model(self) -> list[Ciphertext]:
        """Enc(x̃′), p ciphertexts at scale f."""
        return self.body.next_model.read(self.key, scale=MODEL_SCALE, count=self.state.request.parameters)

    @worked_out
    def rescaled(self) -> list[list[Ciphertext]]:
        """Enc(θ̂_t), p ciphertexts each at scale f, where trainers carry duals."""
        return self.exchange.read_rescaled(self.body.rescaled)

    @property
    def model_roots(self) -> list[mpz]:
        """What is said to blind it, unchecked."""
        return [mpz(int.from_bytes(one, "big")) for one in self.body.model_roots]

    @worked_out
    def vectors(self) -> list[list[Ciphertext]]:
        """What is measured: the updates, and the start last where that is secret."""
        return self.exchange.measured(self.updates, self.start)

    @property
    def vector_tables(self) -> PowerTables | None:
        """Of all their weights, for a checker."""
        return vector_tables(self.key, self.vectors)

    # ---- what follows ----

    @cached_property
    def products(self) -> tuple[Products, ...]:
        """The P_ij of every slot set, from a mask that was checked."""
        return self.exchange.products(self.answer, self.mask)

    @cached_property
    def projection(self) -> Projection:
        """What a checker asks about."""
        return Projection(self.vectors, self.products, self.widths.projection)

    @cached_property
    def metric_proofs(self) -> MetricProofs:
        """As each member has set them up."""
        return metric_proofs(self.key, self.identity, self.at, self.products, self.state.request)

    @cached_property
    def next_model(self) -> NextModelCheck:
        """What a ring opens of the next model."""
        return NextModelCheck(self.key, self.widths.next_model, self.model, self.updates, self.rescaled)

    @cached_property
    def ranges(self) -> RangeCheck:
        """What a ring opens of the updates, where the buyer's word is against the attempt."""
        return RangeCheck(self.key, self.widths.ranges, self.updates)

    def digests(self, product: bytes) -> AttemptDigests:
        """What two verdicts must agree in, with the digest of the ring's opened product."""
        body = self.body
        return attempt_digests(
            body.start_model, body.updates, self.request_body, self.answer_body, body.next_model, product
        )

    def signed(
        self, signed: SignedMessage, kind: type[Body], sender: str, attempt: int | None = None
    ) -> Body:
        """A relayed message's body, if it is one of this kind, by this sender, at this attempt."""
        envelope = signed.envelope
        require(envelope.type == kind.model_fields["type"].default, _OTHER, envelope.type)
        place = (envelope.training, envelope.round, envelope.attempt)
        expected = (self.state.training, self.at.round, self.at.attempt if attempt is None else attempt)
        require(place == expected, _OTHER, "of another training, round or attempt")
        require(envelope.sender == sender, _OTHER, f"not of {sender}")
        signed.verify(self.context.market)
        return body_of(signed, kind)


def view_of(state: ShownTraining, attempt: Attempt, context: Context) -> RoundView:
    """The running attempt's, from the evidence that it began with."""
    known = WORK.of(whose(context, state.training), _KIND, _key_of(state, attempt, context))
    return RoundView(state, attempt.at, attempt.evidence.load(RoundEvidence, context), context, known)


def keep_view(view: RoundView, attempt: Attempt) -> None:
    """Let later steps of the attempt know what this one works out of its evidence."""
    party = whose(view.context, view.state.training)
    WORK.keep(party, _KIND, _key_of(view.state, attempt, view.context), view.known)


def _key_of(state: ShownTraining, attempt: Attempt, context: Context) -> Hashable:
    """All that a view's properties follow from, the request and the key by their hash on the chain.

    The party as well: in a process that works for several none relies on what another one has checked.
    """
    place = (context.address, context.market, context.commitment_group, state.opened, state.n, attempt.at)
    return (*place, state.parties, state.owners, state.carried, attempt.evidence)
