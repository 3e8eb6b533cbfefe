"""What a party keeps for its own eyes: a box that its signing key alone opens.

XSalsa20 and Poly1305 (D. J. Bernstein, "Cryptography in NaCl", 2009) under a key that is hashed from the
signing key. The nonce is hashed from key and content: the same content gives the same box, so a step that is
made again keeps the same bytes, and no two contents share a nonce.
"""

from eth_hash.auto import keccak
from nacl.bindings import (
    crypto_secretbox,
    crypto_secretbox_MACBYTES,
    crypto_secretbox_NONCEBYTES,
    crypto_secretbox_open,
)
from nacl.exceptions import CryptoError

from protocol.errors import ProtocolViolation
from protocol.types import digest_of

_DOMAIN = b"deltaml own box"


def seal_own(signing_key: bytes, content: bytes) -> bytes:
    """The content in a box: 40 bytes longer."""
    key = _key(signing_key)
    nonce = digest_of(_DOMAIN, key, content)[:crypto_secretbox_NONCEBYTES]
    return nonce + crypto_secretbox(content, nonce, key)


def open_own(signing_key: bytes, box: bytes) -> bytes:
    """What is in it; raises ProtocolViolation("not_opened") for another key's box, or an altered one."""
    nonce, sealed = box[:crypto_secretbox_NONCEBYTES], box[crypto_secretbox_NONCEBYTES:]
    if len(sealed) < crypto_secretbox_MACBYTES:
        raise ProtocolViolation("not_opened", f"{len(box)} bytes are no box")
    try:
        return crypto_secretbox_open(sealed, nonce, _key(signing_key))
    except CryptoError:
        raise ProtocolViolation("not_opened", "a part that only its party opens was altered") from None


def _key(signing_key: bytes) -> bytes:
    return keccak(_DOMAIN + signing_key)
