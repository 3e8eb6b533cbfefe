"""Owners that would take a seat, as aggregator and buyer hold them: what they commit to, what was decided.

Whoever admits an owner signs for one commitment of it and no other. That is in the state before the signature
leaves, so that no restart and no repetition makes a party sign twice.
"""

from typing import TypeVar

from protocol.errors import ProtocolViolation
from protocol.join_digests import checked_commitment
from protocol.messages.admission import AdmissionCode
from protocol.roles.engine.context import Context
from protocol.roles.engine.refusals import require
from protocol.roles.engine.state import PhaseState, replace
from protocol.seat_admission import SeatAdmission
from protocol.signatures import recover_address, sign_digest
from protocol.types import Address, Digest, EcdsaSignature, FrozenModel, TrainingId

MOST_APPLICATIONS = 1024
"""Owners of one training that are remembered: four for each seat that a training can have."""


class Application(FrozenModel):
    """An owner that would join with the data set of a card; `code` is None until it is decided about.

    `committed` is the digest of its commitments. The signatures are what is known of them; `asked` is how
    often the buyer was asked, `asked_at` when the aggregator last took up what the owner asks.
    """

    owner: Address
    card: Digest
    commitment: Digest
    committed: Digest
    code: AdmissionCode | None = None
    aggregator_signature: EcdsaSignature | None = None
    buyer_signature: EcdsaSignature | None = None
    asked: int = 0
    asked_at: float = 0.0

    @property
    def is_refused(self) -> bool:
        """Whether it is decided that the owner does not join."""
        return self.code not in (None, "admitted")

    def admission(self, training: TrainingId, request_hash: Digest) -> SeatAdmission:
        """What is signed for it."""
        return SeatAdmission(
            training=training, owner=self.owner, request_hash=request_hash, commitment=self.commitment
        )

    def require_commitment(self) -> None:
        """Raise ProtocolViolation("wrong_commitment") unless it is of the card and the commitments."""
        require(self.commitment == checked_commitment(self.card, self.committed), "wrong_commitment")


class ApplicationsState(PhaseState):
    """Base of the phases in which owners may still be admitted."""

    applications: tuple[Application, ...] = ()

    def application_of(self, owner: Address) -> Application | None:
        """What is known of an owner that would join."""
        return next((one for one in self.applications if one.owner == owner), None)


S = TypeVar("S", bound=ApplicationsState)


def with_application(state: S, application: Application) -> S:
    """With one more application, or what became of one."""
    others = (one for one in state.applications if one.owner != application.owner)
    return replace(state, applications=(*others, application))


def signature_of(admission: SeatAdmission, context: Context) -> EcdsaSignature:
    """Our own signature, which is the same however often it is made."""
    return sign_digest(context.signing_key, admission.digest(context.market))


def require_signature(
    admission: SeatAdmission, signature: EcdsaSignature | None, signer: Address, context: Context
) -> None:
    """Raise ProtocolViolation("bad_admission") unless `signer` has signed with its key.

    The contract looks at that first: what passes here passes there, and asks no account's own code.
    """
    require(signature is not None, "bad_admission", f"{signer} has not signed")
    assert signature is not None
    try:
        found = recover_address(admission.digest(context.market), signature)
    except ProtocolViolation as violation:
        raise ProtocolViolation("bad_admission", violation.detail) from None
    require(found == signer, "bad_admission", f"not signed by {signer}")
