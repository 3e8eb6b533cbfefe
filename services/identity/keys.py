"""Who a daemon is: the key it signs with and the secrets that open what is sealed to it."""

from contextlib import suppress
from dataclasses import dataclass, field

from protocol.errors import ProtocolViolation
from protocol.signatures import address_of
from services.identity.sealing import exchange_key_of, unseal


@dataclass(frozen=True, slots=True)
class Identity:
    """A secp256k1 signing key and X25519 secrets, 32 bytes each; none shows in repr.

    `older_secrets` are those from before a rotation: trainings that were joined under them go on.
    """

    signing_key: bytes = field(repr=False)
    exchange_secret: bytes = field(repr=False)
    older_secrets: tuple[bytes, ...] = field(default=(), repr=False)
    address: str = field(init=False)
    """The Ethereum address: the identity on bus, chain and console."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "address", address_of(self.signing_key))

    @property
    def exchange_key(self) -> bytes:
        """The public key that the daemon registers on chain."""
        return exchange_key_of(self.exchange_secret)

    def unseal(self, sealed: bytes) -> bytes:
        """What was sealed to any of our keys; raises ProtocolViolation("not_sealed_to_me")."""
        try:
            return unseal(sealed, self.exchange_secret)
        except ProtocolViolation:
            for secret in self.older_secrets:
                with suppress(ProtocolViolation):
                    return unseal(sealed, secret)
            raise
