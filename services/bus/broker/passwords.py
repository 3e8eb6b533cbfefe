"""Passwords as RabbitMQ keeps them: SHA-256 with a salt of 32 bits in front."""

import base64
import hashlib
import hmac
import os

HASHING_ALGORITHM = "rabbit_password_hashing_sha256"

_SALT_BYTES = 4


def password_hash(password: str, salt: bytes | None = None) -> str:
    """Base64 of salt and SHA-256(salt ‖ password)."""
    chosen = os.urandom(_SALT_BYTES) if salt is None else salt
    return base64.b64encode(chosen + hashlib.sha256(chosen + password.encode()).digest()).decode()


def matches(password: str, known: str) -> bool:
    """Whether a stored hash is of this password."""
    try:
        salt = base64.b64decode(known, validate=True)[:_SALT_BYTES]
    except ValueError:
        return False
    return len(salt) == _SALT_BYTES and hmac.compare_digest(password_hash(password, salt), known)
