"""Values from which the messages' examples are made."""

from decimal import Decimal

from protocol.data_card import CardColumn, DataCard
from protocol.envelope import Envelope, SignedMessage
from protocol.records import RoundRecord
from protocol.request import Request
from protocol.request_parsing import parse_request
from protocol.vectors import EncryptedVector

TRAINER, OTHER, VALIDATOR = ("0x" + byte * 20 for byte in ("a1", "a2", "b1"))
AGGREGATOR_ADDRESS = "0x" + "cc" * 20
DIGEST, SIGNATURE, ROOT = b"\xd1" * 32, b"\x51" * 64 + b"\x1b", 0x2F1D
VECTOR = EncryptedVector(key_id=b"\x4b" * 32, scale=64, ciphertexts=(b"\x01\x02", b"\x03\x04"))
SCALE = 10**18
RECORD = RoundRecord(
    training=7,
    round=1,
    last=False,
    trainers=0b0011,
    validators=0b1100,
    mse_before=6170 * SCALE,
    own=(3000 * SCALE, 2990 * SCALE),
    cross=(5960 * SCALE, 5950 * SCALE),
    model_digest=DIGEST,
    delivered_digest=DIGEST,
    transcript_digest=DIGEST,
)


def any_request() -> Request:
    """A request document with two features."""
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
            "payment": {"deposit_wei": SCALE},
            "aggregator": AGGREGATOR_ADDRESS,
        }
    )


def any_card() -> DataCard:
    """A card with which `any_request` is served."""
    return DataCard(
        name="clinic",
        columns=(
            CardColumn(name="age", unit="years", minimum=Decimal(18), maximum=Decimal(90)),
            CardColumn(name="bmi", unit="kg/m²", minimum=Decimal(15), maximum=Decimal(50)),
            CardColumn(name="progression", minimum=Decimal(20), maximum=Decimal(350)),
        ),
        rows_from=256,
        licence="research only",
        purpose="follow-up of diabetes patients after one year",
    )


def relayed(kind: str, sender: str) -> SignedMessage:
    """A message that the aggregator passes on; its signature is made up."""
    envelope = Envelope(
        message_id=b"\x1d" * 16,
        type=kind,
        training=7,
        round=1,
        attempt=1,
        sender=sender,
        recipient=AGGREGATOR_ADDRESS,
        sent_at=1_700_000_000_000,
        chain_id=31337,
        contract="0x" + "c0" * 20,
    )
    return SignedMessage(envelope=envelope, body=b"\x81", signature=SIGNATURE)
