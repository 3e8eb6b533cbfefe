"""ECDSA over secp256k1 as Ethereum uses it: the address that a signature gives is the sender's identity."""

from functools import lru_cache

from coincurve import PrivateKey, PublicKey
from eth_hash.auto import keccak

from protocol.errors import ProtocolViolation

_HALF_ORDER = 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0


def address_of(signing_key: bytes) -> str:
    """The lower-case address of a 32-byte private key."""
    return _address(_private_key(signing_key).public_key)


def sign_digest(signing_key: bytes, digest: bytes) -> bytes:
    """Sign a 32-byte digest: r ‖ s ‖ v, deterministic (RFC 6979), with the low s the contract demands."""
    signature = _private_key(signing_key).sign_recoverable(digest, hasher=None)
    return signature[:64] + bytes([signature[64] + 27])


def recover_address(digest: bytes, signature: bytes) -> str:
    """The address whose key made `signature` over `digest`; raises ProtocolViolation("bad_signature")."""
    if len(signature) != 65 or signature[64] not in (27, 28):
        raise ProtocolViolation("bad_signature", "not 65 bytes with v = 27 or 28")
    if int.from_bytes(signature[32:64], "big") > _HALF_ORDER:
        # The twin with the high s is a second valid form of the same signature: a replay with another digest.
        raise ProtocolViolation("bad_signature", "s is not low")
    try:
        public = PublicKey.from_signature_and_message(
            signature[:64] + bytes([signature[64] - 27]), digest, hasher=None
        )
    except Exception:  # noqa: BLE001  coincurve raises bare exceptions for points that do not exist
        raise ProtocolViolation("bad_signature", "no key fits") from None
    return _address(public)


def personal_digest(content: bytes) -> bytes:
    """EIP-191 version 0x45 over `content`, so that a message's signature is never a transaction's."""
    return keccak(b"\x19Ethereum Signed Message:\n" + str(len(content)).encode() + content)


def _address(public: PublicKey) -> str:
    return "0x" + keccak(public.format(compressed=False)[1:])[-20:].hex()


@lru_cache(maxsize=32)
def _private_key(signing_key: bytes) -> PrivateKey:
    """With its public point, which takes as long as a signature: a party signs with one key all the time."""
    return PrivateKey(signing_key)
