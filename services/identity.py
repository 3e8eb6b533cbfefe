"""Who a daemon is: the key it signs with and the secret that opens what is sealed to it."""

from dataclasses import dataclass, field

from protocol.signatures import address_of
from services.sealing import exchange_key_of


@dataclass(frozen=True, slots=True)
class Identity:
    """A secp256k1 signing key and an X25519 secret, 32 bytes each; neither shows in repr."""

    signing_key: bytes = field(repr=False)
    exchange_secret: bytes = field(repr=False)

    @property
    def address(self) -> str:
        """The Ethereum address: the identity on bus, chain and console."""
        return address_of(self.signing_key)

    @property
    def exchange_key(self) -> bytes:
        """The public key that the daemon registers on chain."""
        return exchange_key_of(self.exchange_secret)
