"""Every message that crosses the bus: one closed union, discriminated by `type`.

MB model buyer, FA federated aggregator, DO data owner, T trainer, V validator. Who may send what to whom is
the table ROUTES at the end; the envelope (training, round, attempt, sender, recipient) is in `envelope.py`.
"""

from typing import Annotated, Literal, get_args

from pydantic import Field

from protocol.envelope import SignedMessage
from protocol.marketplace import MarketplaceEvent
from protocol.owner_policy import OwnerPolicy
from protocol.records import RoundRecord
from protocol.request import Request
from protocol.types import (
    Address,
    BigInteger,
    Code,
    Digest,
    EcdsaSignature,
    FrozenModel,
    Name,
    RoundNumber,
    TrainingId,
)
from protocol.vectors import EncryptedVector, PackedVector

BigNatural = Annotated[BigInteger, Field(ge=0)]
Moment = Annotated[int, Field(ge=0, lt=1 << 63)]
Count = Annotated[int, Field(ge=0, lt=1 << 63)]
KeyProof = Annotated[tuple[bytes, ...], Field(max_length=256)]
Parties = Annotated[tuple[Address, ...], Field(max_length=256)]
Relayed = Annotated[tuple[SignedMessage, ...], Field(min_length=1, max_length=256)]


class OwnerAnnouncement(FrozenModel):
    """DO → FA: an owner is there, with data for these kinds of model."""

    type: Literal["owner_announcement"] = "owner_announcement"
    model_kinds: Annotated[tuple[Code, ...], Field(max_length=16)]


class AnnouncementAnswer(FrozenModel):
    """FA → DO: whether the owner is on the admission list."""

    type: Literal["announcement_answer"] = "announcement_answer"
    accepted: bool
    code: Code


class PublicRoot(FrozenModel):
    """The opening of one ciphertext: plaintext and n-th root."""

    plaintext: BigNatural
    root: BigNatural


class TrainingRequest(FrozenModel):
    """MB → FA, when `Opened` is confirmed: document, key with proof, initial model with its opening."""

    type: Literal["training_request"] = "training_request"
    request: Request
    public_key: BigNatural
    key_proof: KeyProof
    initial_model: EncryptedVector
    opening: Annotated[tuple[PublicRoot, ...], Field(max_length=100_000)]


class RequestAnswer(FrozenModel):
    """FA → MB: whether invitations go out."""

    type: Literal["request_answer"] = "request_answer"
    accepted: bool
    code: Code


class Invitation(FrozenModel):
    """FA → DO: a training that the owner may join until `join_until` (Unix seconds)."""

    type: Literal["invitation"] = "invitation"
    request: Request
    public_key: BigNatural
    key_proof: KeyProof
    join_until: Moment


class InvitationAnswer(FrozenModel):
    """DO → FA: the decision; why data do not match stays with the owner."""

    type: Literal["invitation_answer"] = "invitation_answer"
    decision: Literal["accepted", "declined", "no_data"]
    rows: Count = 0


class RowCount(FrozenModel):
    """How many rows an owner says it has."""

    owner: Address
    rows: Count


class TrainingStarted(FrozenModel):
    """FA → MB, DOs, when `RolesDrawn` is confirmed: who trains and who validates, in seat order."""

    type: Literal["training_started"] = "training_started"
    trainers: Parties
    validators: Parties
    rows: Annotated[tuple[RowCount, ...], Field(max_length=256)]


class EncryptedModel(FrozenModel):
    """FA → T: the round starts from this model (scale f)."""

    type: Literal["encrypted_model"] = "encrypted_model"
    model: EncryptedVector


class GradientUpdate(FrozenModel):
    """T → FA: the model after the local steps (scale f + g) and the digest of the model it started from."""

    type: Literal["gradient_update"] = "gradient_update"
    local_model: EncryptedVector
    start_digest: Digest


class RefreshRequest(FrozenModel):
    """FA → MB: the sum of the updates, packed and masked; divisor = T·2^g."""

    type: Literal["refresh_request"] = "refresh_request"
    masked: PackedVector
    divisor: BigNatural


class RefreshAnswer(FrozenModel):
    """MB → FA: the masked quotients, freshly encrypted (scale f)."""

    type: Literal["refresh_answer"] = "refresh_answer"
    model: EncryptedVector


class LocalModels(FrozenModel):
    """FA → V: all that a round's evaluation starts from; `check_mask_digest` commits FA to its own masks."""

    type: Literal["local_models"] = "local_models"
    start_model: EncryptedVector
    updates: Relayed
    refreshed_model: EncryptedVector
    validators: Parties
    measure_start: bool
    check_mask_digest: Digest


class CheckMask(FrozenModel):
    """V → FA: the validator's masks for the refresh check and the range openings."""

    type: Literal["check_mask"] = "check_mask"
    masks: PackedVector
    updates_digest: Digest
    refreshed_digest: Digest


class CheckRequest(FrozenModel):
    """FA → V: every mask of the attempt, FA's own among them."""

    type: Literal["check_request"] = "check_request"
    masks: Relayed
    own_masks: PackedVector


class CheckProducts(FrozenModel):
    """FA → MB: the products only, since with the masks MB could strip them."""

    type: Literal["check_products"] = "check_products"
    products: PackedVector


class CheckOpening(FrozenModel):
    """MB → FA, V: the products' plaintexts and roots."""

    type: Literal["check_opening"] = "check_opening"
    plaintexts: tuple[BigNatural, ...]
    roots: tuple[BigNatural, ...]


class NoisyMetric(FrozenModel):
    """V → MB: residuals of every measured model, packed, under a mask over the whole plaintext."""

    type: Literal["noisy_metric"] = "noisy_metric"
    masked_residuals: PackedVector
    models: Annotated[int, Field(ge=1, le=257)]
    measure_start: bool
    check_digest: Digest
    copies: PackedVector | None = None


class MetricProducts(FrozenModel):
    """MB → V: fresh Enc⟨u_t, u_t⟩ per model and Enc⟨u_t, Σ_s u_s⟩ per trainer; the same for the copies."""

    type: Literal["metric_products"] = "metric_products"
    own: EncryptedVector
    cross: EncryptedVector
    own_copies: EncryptedVector | None = None
    cross_copies: EncryptedVector | None = None


class MacChallenge(FrozenModel):
    """V → MB: a combination that must open as zero if MB's products were honest."""

    type: Literal["mac_challenge"] = "mac_challenge"
    ciphertext: EncryptedVector


class MacAnswer(FrozenModel):
    """MB → V: the root that opens it as zero, or nothing when it is not zero."""

    type: Literal["mac_answer"] = "mac_answer"
    root: BigNatural | None


class UpdateDigest(FrozenModel):
    """Which update of which trainer was measured."""

    trainer: Address
    digest: Digest


class EncryptedMetric(FrozenModel):
    """V → FA: the measured numbers (v₀ where measured, q, c), packed, under the zero-sum masks."""

    type: Literal["encrypted_metric"] = "encrypted_metric"
    values: PackedVector
    rows: Count
    measure_start: bool
    start_digest: Digest
    updates: Annotated[tuple[UpdateDigest, ...], Field(min_length=2, max_length=256)]
    refreshed_digest: Digest


class OpeningRequest(FrozenModel):
    """FA → MB, V: all metrics of the attempt, for everyone to multiply."""

    type: Literal["opening_request"] = "opening_request"
    metrics: Relayed


class Opening(FrozenModel):
    """MB → FA, V: the opened sum with proof, and the record it signs."""

    type: Literal["opening"] = "opening"
    plaintexts: Annotated[tuple[BigNatural, ...], Field(min_length=1, max_length=1024)]
    roots: Annotated[tuple[BigNatural, ...], Field(min_length=1, max_length=1024)]
    record: RoundRecord
    signature: EcdsaSignature


class OpeningRefused(FrozenModel):
    """MB → FA, V: the sum is implausible; publishing more would make it a channel."""

    type: Literal["opening_refused"] = "opening_refused"
    code: Literal["implausible"] = "implausible"


class RoundSignature(FrozenModel):
    """V → FA: the validator's EIP-712 signature of the record it checked."""

    type: Literal["round_signature"] = "round_signature"
    signature: EcdsaSignature


class Contribution(FrozenModel):
    """A trainer's Shapley value and pay weight of a round, × 1e18."""

    trainer: Address
    shapley: BigInteger
    pay_weight: BigNatural


class RoundCompleted(FrozenModel):
    """FA → all, when `RoundRecorded` is confirmed: the public numbers (× 1e18)."""

    type: Literal["round_completed"] = "round_completed"
    v0: BigNatural
    mse_after: BigNatural
    own: tuple[BigNatural, ...]
    cross: tuple[BigInteger, ...]
    contributions: tuple[Contribution, ...]
    last: bool


class TrainedModel(FrozenModel):
    """FA or V → MB, after settlement: the model of the last recorded round."""

    type: Literal["trained_model"] = "trained_model"
    model: EncryptedVector


class ModelReceived(FrozenModel):
    """MB → FA: the model arrived and its digest is the recorded one."""

    type: Literal["model_received"] = "model_received"
    digest: Digest


class ModelRequest(FrozenModel):
    """MB → V: FA did not deliver; the validator holds the model since it measured it."""

    type: Literal["model_request"] = "model_request"


class ParticipantDropped(FrozenModel):
    """FA → all: a deadline passed; the participant is out from this round on."""

    type: Literal["participant_dropped"] = "participant_dropped"
    participant: Address
    from_round: RoundNumber
    code: Code


class Complaint(FrozenModel):
    """Any → FA, MB, V: a check failed; the evidence is what the accused signed."""

    type: Literal["complaint"] = "complaint"
    code: Code
    accused: Address
    evidence: Annotated[tuple[SignedMessage, ...], Field(max_length=256)]


class TrainingFailed(FrozenModel):
    """FA → all: the training ends at `last_round`."""

    type: Literal["training_failed"] = "training_failed"
    code: Code
    fault: Address | None
    last_round: RoundNumber


class ChainEvent(FrozenModel):
    """Listener → chain exchange: a log that appeared, or vanished in a reorganisation (`removed`)."""

    type: Literal["chain_event"] = "chain_event"
    event: MarketplaceEvent
    chain_id: Annotated[int, Field(ge=1, lt=1 << 63)]
    block_number: Annotated[int, Field(ge=0, lt=1 << 63)]
    block_hash: Digest
    transaction_hash: Digest
    log_index: Annotated[int, Field(ge=0, lt=1 << 31)]
    timestamp: Moment
    removed: bool = False


class TrainingOrder(FrozenModel):
    """Operator → its own buyer's queue: have this trained."""

    type: Literal["training_order"] = "training_order"
    request: Request


class OwnerDecision(FrozenModel):
    """Operator → its own owner's queue: join a training or not, with `beyond_budget` over the limit."""

    type: Literal["owner_decision"] = "owner_decision"
    training: TrainingId
    accept: bool
    data_set: Name | None = None
    beyond_budget: bool = False


class PolicyOrder(FrozenModel):
    """Operator → its own owner's queue: decide by this policy; None is the configuration's."""

    type: Literal["policy_order"] = "policy_order"
    policy: OwnerPolicy | None


class WithdrawOrder(FrozenModel):
    """Operator → its own owner's queue: have the contract pay the credit out."""

    type: Literal["withdraw_order"] = "withdraw_order"


class StopOrder(FrozenModel):
    """Operator → its own buyer's or aggregator's queue: end a training after the last recorded round."""

    type: Literal["stop_order"] = "stop_order"
    training: TrainingId
    reason: Name


Message = Annotated[
    OwnerAnnouncement
    | AnnouncementAnswer
    | TrainingRequest
    | RequestAnswer
    | Invitation
    | InvitationAnswer
    | TrainingStarted
    | EncryptedModel
    | GradientUpdate
    | RefreshRequest
    | RefreshAnswer
    | LocalModels
    | CheckMask
    | CheckRequest
    | CheckProducts
    | CheckOpening
    | NoisyMetric
    | MetricProducts
    | MacChallenge
    | MacAnswer
    | EncryptedMetric
    | OpeningRequest
    | Opening
    | OpeningRefused
    | RoundSignature
    | RoundCompleted
    | TrainedModel
    | ModelReceived
    | ModelRequest
    | ParticipantDropped
    | Complaint
    | TrainingFailed
    | ChainEvent
    | TrainingOrder
    | OwnerDecision
    | PolicyOrder
    | WithdrawOrder
    | StopOrder,
    Field(discriminator="type"),
]

MESSAGE_TYPES: dict[str, type[FrozenModel]] = {
    kind.model_fields["type"].default: kind for kind in get_args(get_args(Message)[0])
}

_MB, _FA, _DO = "model_buyer", "federated_aggregator", "data_owner"
_SELF = "operator"

ROUTES: dict[str, frozenset[tuple[str, str]]] = {
    "owner_announcement": frozenset({(_DO, _FA)}),
    "announcement_answer": frozenset({(_FA, _DO)}),
    "training_request": frozenset({(_MB, _FA)}),
    "request_answer": frozenset({(_FA, _MB)}),
    "invitation": frozenset({(_FA, _DO)}),
    "invitation_answer": frozenset({(_DO, _FA)}),
    "training_started": frozenset({(_FA, _MB), (_FA, _DO)}),
    "encrypted_model": frozenset({(_FA, _DO)}),
    "gradient_update": frozenset({(_DO, _FA)}),
    "refresh_request": frozenset({(_FA, _MB)}),
    "refresh_answer": frozenset({(_MB, _FA)}),
    "local_models": frozenset({(_FA, _DO)}),
    "check_mask": frozenset({(_DO, _FA)}),
    "check_request": frozenset({(_FA, _DO)}),
    "check_products": frozenset({(_FA, _MB)}),
    "check_opening": frozenset({(_MB, _FA), (_MB, _DO)}),
    "noisy_metric": frozenset({(_DO, _MB)}),
    "metric_products": frozenset({(_MB, _DO)}),
    "mac_challenge": frozenset({(_DO, _MB)}),
    "mac_answer": frozenset({(_MB, _DO)}),
    "encrypted_metric": frozenset({(_DO, _FA)}),
    "opening_request": frozenset({(_FA, _MB), (_FA, _DO)}),
    "opening": frozenset({(_MB, _FA), (_MB, _DO)}),
    "opening_refused": frozenset({(_MB, _FA), (_MB, _DO)}),
    "round_signature": frozenset({(_DO, _FA)}),
    "round_completed": frozenset({(_FA, _MB), (_FA, _DO)}),
    "trained_model": frozenset({(_FA, _MB), (_DO, _MB)}),
    "model_received": frozenset({(_MB, _FA)}),
    "model_request": frozenset({(_MB, _DO)}),
    "participant_dropped": frozenset({(_FA, _MB), (_FA, _DO)}),
    "complaint": frozenset({(a, b) for a in (_MB, _FA, _DO) for b in (_MB, _FA, _DO)}),
    "training_failed": frozenset({(_FA, _MB), (_FA, _DO)}),
    "chain_event": frozenset(),
    "training_order": frozenset({(_SELF, _MB)}),
    "owner_decision": frozenset({(_SELF, _DO)}),
    "policy_order": frozenset({(_SELF, _DO)}),
    "withdraw_order": frozenset({(_SELF, _DO)}),
    "stop_order": frozenset({(_SELF, _MB), (_SELF, _FA)}),
}
"""Message type → allowed (sender's role, recipient's role); "operator" = signed with the daemon's own key."""
