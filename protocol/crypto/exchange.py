"""X25519 keys as parties register them on chain, where nobody looks at what they are."""

from nacl.bindings import crypto_scalarmult

from protocol.errors import ProtocolViolation

UNUSABLE = "unusable_exchange_key"
_FIELD = (1 << 255) - 19
_ANY_SECRET = b"\x01" * 32


def require_usable(exchange_key: bytes) -> None:
    """Raise ProtocolViolation("unusable_exchange_key") for a key that nothing can be agreed upon with.

    That is one of another length than 32 bytes, one that is not in its canonical form (RFC 7748 reads two
    encodings as the same key, which would hide that a key was copied), and one of low order: every
    secret gives zero with it.
    """
    if len(exchange_key) != 32:
        raise ProtocolViolation(UNUSABLE, f"{len(exchange_key)} bytes; an X25519 key has 32")
    if int.from_bytes(exchange_key, "little") >= _FIELD:
        raise ProtocolViolation(UNUSABLE, f"0x{exchange_key.hex()} is not canonical")
    agree(_ANY_SECRET, exchange_key)


def agree(secret: bytes, exchange_key: bytes) -> bytes:
    """The 32-byte secret that two parties share by X25519.

    Raises ProtocolViolation("unusable_exchange_key") for a key of low order.
    """
    try:
        return crypto_scalarmult(secret, exchange_key)
    except RuntimeError:  # libsodium refuses an outcome of zero
        raise ProtocolViolation(UNUSABLE, f"0x{exchange_key.hex()} has a low order") from None
