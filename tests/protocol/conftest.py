"""Small keys, made once: the algebra is the same at every length."""

import pytest
from hypothesis import settings

from protocol.crypto.paillier import PrivateKey, PublicKey, generate_private_key

# A busy machine is no fault of the code.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")


@pytest.fixture(scope="session")
def private_key() -> PrivateKey:
    return generate_private_key(512)


@pytest.fixture(scope="session")
def key(private_key: PrivateKey) -> PublicKey:
    return private_key.public_key


@pytest.fixture(scope="session")
def wide_private_key() -> PrivateKey:
    return generate_private_key(1024)


@pytest.fixture(scope="session")
def wide_key(wide_private_key: PrivateKey) -> PublicKey:
    return wide_private_key.public_key
