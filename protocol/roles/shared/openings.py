"""What everybody checks of what the buyer opens, so that nobody needs to be believed."""

from collections.abc import Sequence

from gmpy2 import mpz

from protocol.crypto.cipher import Opening, PublicKey, verify_openings
from protocol.roles.engine.context import Context
from protocol.roles.engine.refusals import require


def check_openings(
    key: PublicKey,
    products: Sequence[mpz],
    plaintexts: Sequence[int],
    roots: Sequence[int],
    context: Context,
) -> None:
    """Raise ProtocolViolation("bad_opening") unless every product opens as shown."""
    require(len(products) == len(plaintexts) == len(roots), "bad_opening", "wrong number of openings")
    openings = [Opening(mpz(m), mpz(root)) for m, root in zip(plaintexts, roots, strict=True)]
    fits = verify_openings(key, products, openings, context.randomness("openings"))
    require(fits, "bad_opening", "an opening does not fit its ciphertext")
