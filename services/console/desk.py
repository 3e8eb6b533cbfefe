"""What a data owner's console works on besides the store: the data sets, and the policy to fall back to."""

from dataclasses import dataclass

from protocol.owner_policy import OwnerPolicy
from services.catalogue import Catalogue


@dataclass(frozen=True, slots=True)
class Desk:
    """An owner's catalogue, and the policy in the daemon's configuration."""

    catalogue: Catalogue
    configured: OwnerPolicy
