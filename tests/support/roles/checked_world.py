"""The parties of a small checked training, all honest and in one place, and their first round's training."""

from functools import cached_property, lru_cache
from typing import Any

from gmpy2 import mpz

from protocol.bodies import body_of
from protocol.crypto.cipher import write_ciphertexts
from protocol.envelope import SignedMessage
from protocol.join_digests import checked_commitment
from protocol.learning.moments.exchange import MomentMask, moment_request
from protocol.learning.moments.widths import Start
from protocol.learning.scales import MODEL_SCALE, UPDATE_SCALE
from protocol.messages import RowCount
from protocol.messages.rounds import AttemptAnnounced, CheckedStarted, MomentRequest, ProvenUpdate
from protocol.messages.rounds.values import CommittedOwner, ShownOwner
from protocol.request_parsing import parse_request
from protocol.roles.buyer.state import RunningState
from protocol.roles.engine.context import Context
from protocol.roles.engine.state import replace as replaced
from protocol.roles.owner.committing import commit_to
from protocol.roles.rounds.members import attempt_checkers, draw_hash
from protocol.roles.rounds.products import MomentExchange
from protocol.roles.rounds.proofs import update_proofs
from protocol.roles.rounds.start import first_link, start_model
from protocol.roles.rounds.widths import checked_widths
from protocol.roles.shared.parties import Parties
from protocol.signatures import address_of
from protocol.types import RoundAttempt
from protocol.vectors import EncryptedVector
from tests.support.groups import market_identity
from tests.support.proofs import private_key
from tests.support.roles.pure_contract import MARKET, TRAINING
from tests.support.roles.pure_party import make_statistic
from tests.support.roles.ring_players import STREAM, context_of, received
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
        self.identity = market_identity(self.key)
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
        return attempt_checkers(
            self.parties, self.parties.validators, AT, draw_hash(MARKET, TRAINING, self.parties)
        )

    def sent(self, sender: str, body: Any, *, to: str = "", at: tuple[int, int] = AT) -> Any:
        """A body that somebody sends to the buyer, or to another."""
        return received(sender, self.keys[sender], to or self.buyer, body, at)

    def running(self, **changes: Any) -> RunningState:
        """The buyer when the owners' commitments are known."""
        fields = {
            "request": self.request,
            "n": int(self.key.n),
            "parties": self.parties,
            "training": TRAINING,
            "link": self.link,
        }
        return RunningState(**{**fields, **changes})

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


@lru_cache
def checked_attempt() -> CheckedAttempt:
    """The same for all tests of a module's process: commitments and proofs take a second."""
    return CheckedAttempt()


def shown_start(world: CheckedAttempt) -> tuple[RunningState, CheckedStarted]:
    """The buyer before it knows the commitments, and the message that shows them."""
    shown, joined = [], []
    for owner in world.parties.seats:
        commitments, _ = world.committed[owner]
        card = owner[2:].encode().ljust(32, b"0")[:32]
        shown.append(ShownOwner(owner=owner, card=card, committed=CommittedOwner.of(commitments)))
        joined.append(checked_commitment(card, commitments.digest(world.identity, world.key)))
    parties = replaced(world.parties, rows=(), commitments=tuple(joined))
    body = CheckedStarted(
        trainers=parties.addresses(parties.trainers),
        validators=parties.addresses(parties.validators),
        owners=tuple(shown),
    )
    return world.running(parties=parties), body
