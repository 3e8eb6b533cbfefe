"""Whether the aggregator takes a request on: it must be the one on chain, possible, and checkable."""

from protocol.bond_policy import BondPolicy
from protocol.codec import unpack
from protocol.crypto.cipher import PublicKey, verify_public_key
from protocol.errors import ProtocolViolation, WidthError
from protocol.marketplace import Opened
from protocol.messages import TrainingRequest
from protocol.roles.engine.context import Context
from protocol.roles.rounds.requests import require_checkable
from protocol.roles.shared.request_widths import check_widths


def refusal_code(opened: Opened, body: TrainingRequest, context: Context) -> str | None:
    """The code of the reason not to take this request on, or None.

    Raises ProtocolViolation for a key that no honest buyer sends.
    """
    request = body.request
    terms = request.terms(PublicKey(int(body.public_key)).key_id)
    if opened.terms != terms or opened.deposit != request.payment.deposit_wei:
        return "terms_differ"
    if not _bonds(context).accepts(opened.terms):
        return "bond_not_accepted"
    try:
        check_widths(request)
        require_checkable(request)
    except WidthError:
        return "widths_do_not_fit"
    except ProtocolViolation as why:
        return why.code
    verify_public_key(int(body.public_key), list(body.key_proof), request.key_bits, context.least_key_bits)
    return None


def _bonds(context: Context) -> BondPolicy:
    return unpack(BondPolicy, context.policy) if context.policy else BondPolicy()
