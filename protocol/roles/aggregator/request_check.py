"""Whether the aggregator takes a request on: it must be the one on chain, possible, and hide nothing."""

from gmpy2 import mpz

from protocol.bond_policy import BondPolicy
from protocol.codec import unpack
from protocol.crypto.cipher import Opening, PublicKey, verify_openings, verify_public_key
from protocol.crypto.fixed_point import encode
from protocol.errors import WidthError
from protocol.learning.scales import MODEL_SCALE
from protocol.marketplace import Opened
from protocol.messages import TrainingRequest
from protocol.request import Request
from protocol.roles.engine.context import Context
from protocol.roles.shared.request_widths import check_widths


def refusal_code(opened: Opened, body: TrainingRequest, context: Context) -> str | None:
    """The code of the reason not to take this request on, or None.

    Raises ProtocolViolation for a key or a model that no honest buyer sends.
    """
    request = body.request
    terms = request.terms(PublicKey(int(body.public_key)).key_id)
    if opened.terms != terms or opened.deposit != request.payment.deposit_wei:
        return "terms_differ"
    if not _bonds(context).accepts(opened.terms):
        return "bond_not_accepted"
    try:
        check_widths(request)
    except WidthError:
        return "widths_do_not_fit"
    key = verify_public_key(
        int(body.public_key), list(body.key_proof), request.key_bits, context.least_key_bits
    )
    return _initial_model_refusal(request, body, key, context)


def _bonds(context: Context) -> BondPolicy:
    return unpack(BondPolicy, context.policy) if context.policy else BondPolicy()


def _initial_model_refusal(
    request: Request, body: TrainingRequest, key: PublicKey, context: Context
) -> str | None:
    """An untrained model is no secret. A hidden one, far out of range, would read data out of one metric."""
    model = body.initial_model.read(key, scale=MODEL_SCALE, count=request.parameters)
    weights = encode([float(weight) for weight in request.start_weights()], MODEL_SCALE)
    if len(body.opening) != len(model):
        return "initial_model_not_opened"
    openings = [Opening(mpz(opening.plaintext), mpz(opening.root)) for opening in body.opening]
    if any(opening.plaintext != weight % key.n for opening, weight in zip(openings, weights, strict=True)):
        return "initial_model_differs"
    opens = verify_openings(key, model, openings, context.randomness("initial model"))
    return None if opens else "initial_model_not_opened"
