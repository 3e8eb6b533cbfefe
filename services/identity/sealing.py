"""Sealing bodies to their recipient: libsodium's sealed box on X25519 keys as registered on chain.

A broker's operator, or a party that reads other queues, sees envelopes only.
"""

from functools import lru_cache

from nacl.exceptions import CryptoError
from nacl.public import PrivateKey, PublicKey, SealedBox

from protocol.crypto.exchange import require_usable
from protocol.errors import ProtocolViolation


def seal(content: bytes, exchange_key: bytes) -> bytes:
    """`content` for the holder of the secret to this 32-byte public key; 48 bytes longer.

    Raises ProtocolViolation("unusable_exchange_key") for a key that nobody holds the secret to.
    """
    require_usable(exchange_key)
    return SealedBox(PublicKey(exchange_key)).encrypt(content)


def unseal(sealed: bytes, exchange_secret: bytes) -> bytes:
    """The content; raises ProtocolViolation("not_sealed_to_me")."""
    try:
        return _box(exchange_secret).decrypt(sealed)
    except (CryptoError, ValueError, TypeError):
        raise ProtocolViolation("not_sealed_to_me") from None


@lru_cache(maxsize=8)
def _box(exchange_secret: bytes) -> "SealedBox[PrivateKey]":
    """A daemon has few secrets and opens every message with them: the public key is worked out once."""
    return SealedBox(PrivateKey(exchange_secret))


def exchange_key_of(exchange_secret: bytes) -> bytes:
    """The public key to register on chain."""
    return bytes(PrivateKey(exchange_secret).public_key)
