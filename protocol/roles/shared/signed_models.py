"""The models of rounds that are signed, as those hold them who may have to deliver one."""

from protocol.marketplace import RoundRecorded
from protocol.roles.engine.state import BlobRef
from protocol.types import Digest, FrozenModel, RoundNumber


class SignedModel(FrozenModel):
    """The refreshed model of a signed round, until a later record names another to be delivered."""

    round: RoundNumber
    model: BlobRef
    digest: Digest


def still_needed(models: tuple[SignedModel, ...], event: RoundRecorded) -> tuple[SignedModel, ...]:
    """Those that this record or one that is signed and not recorded yet may have delivered."""
    delivered = event.record.delivered_digest
    return tuple(one for one in models if one.round > event.round or one.digest == delivered)


def model_named(models: tuple[SignedModel, ...], digest: Digest | None) -> BlobRef | None:
    """The model of this digest, if it is held."""
    return next((one.model for one in models if one.digest == digest), None)
