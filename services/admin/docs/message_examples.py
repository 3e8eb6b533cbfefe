"""One example of every message, for documents; values are short where real ones have thousands of bits."""

from protocol import messages as m
from protocol.envelope import Envelope, SignedMessage
from protocol.marketplace import Settled
from protocol.owner_policy import OwnerPolicy
from protocol.records import RoundRecord
from protocol.request import Request, parse_request
from protocol.types import FrozenModel
from protocol.vectors import EncryptedVector, PackedVector

_TRAINER, _OTHER, _VALIDATOR = ("0x" + one * 20 for one in ("a1", "a2", "b1"))
_AGGREGATOR = "0x" + "cc" * 20
_DIGEST, _SIGNATURE, _ROOT = b"\xd1" * 32, b"\x51" * 64 + b"\x1b", 0x2F1D
_VECTOR = EncryptedVector(key_id=b"\x4b" * 32, scale=64, ciphertexts=(b"\x01\x02", b"\x03\x04"))
_PACKED = PackedVector(key_id=b"\x4b" * 32, scale=104, count=4, slot_bits=200, ciphertexts=(b"\x05\x06",))
_SCALE = 10**18


def _request() -> Request:
    return parse_request(
        {
            "name": "disease progression",
            "features": [
                {"name": "age", "minimum": 0, "maximum": 120},
                {"name": "bmi", "minimum": 10, "maximum": 80},
            ],
            "target": {"name": "progression", "minimum": 0, "maximum": 400},
            "schedule": {"rounds": 3, "local_steps": 500, "step_size": "1.5"},
            "start": {"start": "mean", "value": "150"},
            "payment": {"deposit_wei": _SCALE},
            "aggregator": _AGGREGATOR,
        }
    )


def _relayed(kind: str, sender: str) -> SignedMessage:
    envelope = Envelope(
        message_id=b"\x1d" * 16,
        type=kind,
        training=7,
        round=1,
        attempt=1,
        sender=sender,
        recipient=_AGGREGATOR,
        sent_at=1_700_000_000_000,
    )
    return SignedMessage(envelope=envelope, body=b"\x81", signature=_SIGNATURE)


_RECORD = RoundRecord(
    training=7,
    round=1,
    last=False,
    trainers=0b0011,
    validators=0b1100,
    mse_before=6170 * _SCALE,
    own=(3000 * _SCALE, 2990 * _SCALE),
    cross=(5960 * _SCALE, 5950 * _SCALE),
    model_digest=_DIGEST,
    transcript_digest=_DIGEST,
)

_EXAMPLES: tuple[FrozenModel, ...] = (
    m.OwnerAnnouncement(model_kinds=("linear_regression",)),
    m.AnnouncementAnswer(accepted=True, code="admitted"),
    m.TrainingRequest(
        request=_request(),
        public_key=0xC5A1,
        key_proof=(b"\x07\x08",),
        initial_model=_VECTOR,
        opening=(m.PublicRoot(plaintext=150 << 64, root=_ROOT),),
    ),
    m.RequestAnswer(accepted=True, code="accepted"),
    m.Invitation(request=_request(), public_key=0xC5A1, key_proof=(b"\x07\x08",), join_until=1_700_000_600),
    m.InvitationAnswer(decision="accepted", rows=442),
    m.TrainingStarted(
        trainers=(_TRAINER, _OTHER),
        validators=(_VALIDATOR,),
        rows=(m.RowCount(owner=_TRAINER, rows=442),),
    ),
    m.EncryptedModel(model=_VECTOR),
    m.GradientUpdate(local_model=_VECTOR, start_digest=_DIGEST),
    m.RefreshRequest(masked=_PACKED, divisor=3 << 40),
    m.RefreshAnswer(model=_VECTOR),
    m.LocalModels(
        start_model=_VECTOR,
        updates=(_relayed("gradient_update", _TRAINER),),
        refreshed_model=_VECTOR,
        validators=(_VALIDATOR,),
        measure_start=True,
        check_mask_digest=_DIGEST,
    ),
    m.CheckMask(masks=_PACKED, updates_digest=_DIGEST, refreshed_digest=_DIGEST),
    m.CheckRequest(masks=(_relayed("check_mask", _VALIDATOR),), own_masks=_PACKED),
    m.CheckProducts(products=_PACKED),
    m.CheckOpening(plaintexts=(0,), roots=(_ROOT,)),
    m.NoisyMetric(masked_residuals=_PACKED, models=3, measure_start=True, check_digest=_DIGEST),
    m.MetricProducts(own=_VECTOR, cross=_VECTOR),
    m.MacChallenge(ciphertext=_VECTOR),
    m.MacAnswer(root=_ROOT),
    m.EncryptedMetric(
        values=_PACKED,
        rows=88,
        measure_start=False,
        start_digest=_DIGEST,
        updates=tuple(m.UpdateDigest(trainer=one, digest=_DIGEST) for one in (_TRAINER, _OTHER)),
        refreshed_digest=_DIGEST,
    ),
    m.OpeningRequest(metrics=(_relayed("encrypted_metric", _VALIDATOR),)),
    m.Opening(plaintexts=(3000 << 64,), roots=(_ROOT,), record=_RECORD, signature=_SIGNATURE),
    m.OpeningRefused(),
    m.RoundSignature(signature=_SIGNATURE),
    m.RoundCompleted(
        v0=_RECORD.mse_before,
        mse_after=2977 * _SCALE,
        own=_RECORD.own,
        cross=_RECORD.cross,
        contributions=(m.Contribution(trainer=_TRAINER, shapley=1596 * _SCALE, pay_weight=1596 * _SCALE),),
        last=False,
    ),
    m.TrainedModel(model=_VECTOR),
    m.ModelReceived(digest=_DIGEST),
    m.ModelRequest(),
    m.ParticipantDropped(participant=_OTHER, from_round=3, code="update_late"),
    m.Complaint(code="bad_opening", accused=_VALIDATOR, evidence=(_relayed("encrypted_metric", _VALIDATOR),)),
    m.TrainingFailed(code="too_few_trainers", fault=None, last_round=2),
    m.ChainEvent(
        event=Settled(training=7, improvement=_SCALE // 2, paid=_SCALE // 3, refund=_SCALE * 2 // 3),
        chain_id=31337,
        block_number=42,
        block_hash=_DIGEST,
        transaction_hash=_DIGEST,
        log_index=0,
        timestamp=1_700_000_900,
    ),
    m.TrainingOrder(request=_request()),
    m.OwnerDecision(training=7, accept=True, data_set="rows"),
    m.PolicyOrder(
        policy=OwnerPolicy(automatic=True, columns=("bmi", "progression"), minimum_pay_wei=_SCALE // 100)
    ),
    m.WithdrawOrder(),
    m.StopOrder(training=7, reason="enough of it"),
)

EXAMPLES: dict[str, FrozenModel] = {
    kind.model_fields["type"].default: example for example in _EXAMPLES for kind in (type(example),)
}
"""Message type → example."""
