"""The model of the first round, which is public: everybody makes its ciphertexts alike.

A start that only looked like the one in the request could hold anything, and the errors of a chosen start
spell out products of rows. So it is encrypted without randomness, (1+n)^x: there is nothing to hide, and
whoever is given another one sees that.
"""

from protocol.crypto.cipher import PublicKey
from protocol.crypto.fixed_point import encode
from protocol.learning.scales import MODEL_SCALE
from protocol.request import Request
from protocol.roles.shared.transcript import TranscriptHead
from protocol.vectors import EncryptedVector


def start_model(request: Request, key: PublicKey) -> EncryptedVector:
    """The request's start (scale f) under randomness 1, whose n-th roots are 1."""
    weights = encode([float(weight) for weight in request.start_weights()], MODEL_SCALE)
    return EncryptedVector.of(key, [key.lift(int(weight)) for weight in weights], MODEL_SCALE)


def first_link(request: Request, key: PublicKey) -> TranscriptHead:
    """Where the chain of rounds stands before the first one."""
    return TranscriptHead(model_digest=start_model(request, key).digest(), transcript=request.hash())
