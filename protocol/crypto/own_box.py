"""What a party keeps for its own eyes: a box that its signing key alone opens.

XSalsa20 and Poly1305 (D. J. Bernstein, "Cryptography in NaCl", 2009) under a key that is hashed from the
signing key. The nonce is hashed from key and content: the same content gives the same box, so a step that is
made again keeps the same bytes, and no two contents share a nonce.
"""

from eth_hash.auto import keccak
from nacl.exceptions import CryptoError
from nacl.secret import SecretBox

from protocol.errors import ProtocolViolation
from protocol.types import digest_of

_DOMAIN = b"deltaml own box"


def seal_own(signing_key: bytes, content: bytes) -> bytes:
    """The content in a box: 40 bytes longer."""
    key = _key(signing_key)
    nonce = digest_of(_DOMAIN, key, content)[: SecretBox.NONCE_SIZE]
    return bytes(SecretBox(key).encrypt(content, nonce))


def open_own(signing_key: bytes, box: bytes) -> bytes:
    """What is in it; raises ProtocolViolation("not_opened") for another key's box, or an altered one."""
    try:
        return bytes(SecretBox(_key(signing_key)).decrypt(box))
    except (CryptoError, ValueError):
        raise ProtocolViolation("not_opened", "a part that only its party opens was altered") from None


def _key(signing_key: bytes) -> bytes:
    return keccak(_DOMAIN + signing_key)
