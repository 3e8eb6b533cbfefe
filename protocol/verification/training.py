"""A training's setting as its transcript shows it: request, key, parties, commitments, chain of rounds."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from eth_hash.auto import keccak

from protocol.codec import pack
from protocol.crypto.cipher import PublicKey, verify_public_key
from protocol.crypto.commitment_group import CommitmentGroup
from protocol.crypto.commitments import TrainingIdentity
from protocol.join_digests import nonce_digest
from protocol.marketplace import Joined, Opened, Revealed, RolesDrawn
from protocol.messages import Invitation, TrainingRequest
from protocol.messages.rounds import CheckedStarted
from protocol.records import RoundRecord
from protocol.request import Request
from protocol.roles.engine.context import Context
from protocol.roles.engine.refusals import require
from protocol.roles.engine.state import BlobRef, store
from protocol.roles.owner.attempts import Attempt
from protocol.roles.rounds.attempt import identity_of
from protocol.roles.rounds.carried import CarriedModels
from protocol.roles.rounds.folds import at_next_fold
from protocol.roles.rounds.start import first_link
from protocol.roles.rounds.started import checked_start
from protocol.roles.shared.parties import Parties
from protocol.roles.shared.transcript import TranscriptHead
from protocol.types import RoundAttempt
from protocol.verification.contents import Contents
from protocol.verification.report import naming

BEGINNING = RoundAttempt(0, 0)


@dataclass(frozen=True)
class VerifiedTraining:
    """A training between two rounds, as `ShownTraining` has evidence read against it.

    `key` is proven to be one; `context` has no key and no secret, and its chance is the verifier's own.
    `carried` is what trainers carry into the next round, of a party that has seen the rounds' evidence.
    """

    training: int
    key: PublicKey
    request: Request
    opened: Opened
    parties: Parties
    owners: BlobRef | None
    link: TranscriptHead
    context: Context = field(repr=False)
    attempt: Attempt | None = None
    carried: BlobRef | None = None

    @property
    def n(self) -> int:
        """The key's modulus."""
        return int(self.key.n)

    @property
    def identity(self) -> TrainingIdentity:
        """What proofs and rings are bound to."""
        return identity_of(self.context, self.training, self.key)

    def after(self, record: RoundRecord, carried: CarriedModels | None = None) -> "VerifiedTraining":
        """The training after this round, and what trainers carry into the next where it is known."""
        after = replace(self, link=self.link.next(record), carried=None)
        if carried is None:
            return after
        kept, blob = store(carried)
        return replace(after, carried=kept, context=self.context.knowing((blob,)))

    def chance(self, label: str) -> Context:
        """The verifier's context for one check: each has a stream of its own."""
        return replace(self.context, seed=keccak(self.context.seed + label.encode()))


def rebuilt(contents: Contents, group: CommitmentGroup, seed: bytes) -> VerifiedTraining:
    """The training before its first round, from the chain's events and what its parties were told.

    `seed` is 32 bytes that nobody else knows: batches of openings are checked under chance drawn from it.
    Raises VerificationFailed.
    """
    with naming("Opened"):
        opened = _opened(contents)
    with naming("Joined, RolesDrawn"):
        parties = _parties(contents, opened)
    with naming("invitation"):
        request, key = _request(contents, opened)
    context = Context(
        address=contents.header.party,
        market=contents.header.market,
        now=0.0,
        seed=seed,
        signing_key=b"",
        commitment_group=group,
    )
    found = VerifiedTraining(
        training=contents.header.training,
        key=key,
        request=request,
        opened=opened,
        parties=parties,
        owners=None,
        link=first_link(request, key),
        context=context,
    )
    draws = contents.of(RolesDrawn)
    with naming("RolesDrawn"):
        _require_folds(draws, request)
    if not parties.drawn:
        return found
    with naming("checked_started"):
        return _started(contents, found)


def in_next_fold(training: VerifiedTraining, contents: Contents, record: RoundRecord) -> VerifiedTraining:
    """The training after a record: where that ended a fold, under the next roles that the chain tells.

    Raises ProtocolViolation("wrong_roles") where these are not of the same seats.
    """
    schedule, draws = training.request.schedule, contents.of(RolesDrawn)
    fold = training.parties.fold + 1
    if record.last or not schedule.begins_fold(record.round + 1) or fold >= len(draws):
        return training
    parties = training.parties.in_next_fold(draws[fold])
    return replace(
        training, parties=parties, link=at_next_fold(training.link, training.request, training.key)
    )


def _require_folds(draws: Sequence[RolesDrawn], request: Request) -> None:
    """No more draws than folds, and no owner that validates in two."""
    folds = request.schedule.folds
    require(len(draws) <= folds, "drawn_twice", f"{len(draws)} draws of {folds} folds")
    validated = 0
    for event in draws:
        require(event.validators & validated == 0, "wrong_roles", "an owner validates in two folds")
        validated |= event.validators


def _opened(contents: Contents) -> Opened:
    found = contents.of(Opened)
    require(len(found) == 1, "missing_event" if not found else "opened_twice", f"{len(found)} openings")
    return found[0]


def _parties(contents: Contents, opened: Opened) -> Parties:
    """Seats as they were taken, and roles as they were drawn; the party among them in its role."""
    parties, header = Parties(), contents.header
    joins = contents.of(Joined)
    for joined in joins:
        parties = parties.with_seat(joined)
    for revealed in contents.of(Revealed):
        _require_pledged(revealed, joins)
        parties = parties.with_reveal(revealed)
    for event in contents.of(RolesDrawn)[:1]:
        require(event.trainers & event.validators == 0, "wrong_roles", "a seat has two roles")
        known = (event.trainers | event.validators) & ~parties.all_seats() == 0
        require(known, "wrong_roles", "a seat that nobody took has a role")
        kept = event.trainers | event.validators == parties.revealed
        require(kept, "wrong_roles", "the seats with a role are not those whose nonces were revealed")
        parties = parties.model_copy(update={"trainers": event.trainers, "validators": event.validators})
    expected = {
        "model_buyer": (opened.buyer,),
        "federated_aggregator": (opened.aggregator,),
        "data_owner": parties.seats,
    }
    require(header.party in expected[header.role], "not_a_party", f"{header.party} as {header.role}")
    return parties


def _require_pledged(revealed: Revealed, joins: Sequence[Joined]) -> None:
    """The order of checkers follows from nonces: each is the one that its seat was taken with."""
    taken = next((one for one in joins if one.seat == revealed.seat), None)
    digest = nonce_digest(revealed.training, revealed.owner, revealed.nonce)
    pledged = taken is not None and (taken.owner, taken.nonce_digest) == (revealed.owner, digest)
    require(pledged, "wrong_nonce", f"seat {revealed.seat}")


def _request(contents: Contents, opened: Opened) -> tuple[Request, PublicKey]:
    """What the deposit was paid for: document and key, which is proven to be made as it should."""
    if contents.header.role == "data_owner":
        body = contents.only(Invitation, BEGINNING, opened.aggregator)
        request, n, proof = body.request, int(body.public_key), list(body.key_proof)
    else:
        asked = contents.only(TrainingRequest, BEGINNING, opened.buyer)
        request, n, proof = asked.request, int(asked.public_key), list(asked.key_proof)
    require(opened.terms == request.terms(PublicKey(n).key_id), "wrong_terms", "not the chain's")
    require(opened.deposit == request.payment.deposit_wei, "wrong_deposit", f"{opened.deposit} on the chain")
    require(opened.aggregator == request.aggregator, "wrong_aggregator", opened.aggregator)
    return request, verify_public_key(n, proof, request.key_bits, request.key_bits)


def _started(contents: Contents, found: VerifiedTraining) -> VerifiedTraining:
    """With everybody's commitments, which are those that the seats were taken with."""
    body = contents.only(CheckedStarted, BEGINNING, found.request.aggregator)
    parties, owners = checked_start(found.request, found.parties, body, found.identity, found.key)
    content = pack(owners)
    digest = keccak(content)
    context = replace(found.context, blobs={digest: content})
    return replace(found, parties=parties, owners=BlobRef(digest=digest), context=context)
