"""What the protocol asks of its cipher, and the one in use: Paillier's.

Everything outside this package imports the cipher from here, so the list below is all that another additively
homomorphic one would have to offer:

| what | names |
| --- | --- |
| a key pair: add, lift, multiply; encrypt, decrypt | `PublicKey`, `PrivateKey`, `generate_private_key` |
| a proof that a key is sound, and its check | `prove_key`, `verify_public_key` |
| an encrypted vector that several rows of integers are multiplied with | `PowerTables`, `tables_of_inputs` |
| one such row, each base with a table that fits its integer | `fitting_tables` |
| tables of what is asked about again | `tables_if_kept`, `UPDATES_WINDOW` |
| the sum of several such products | `Combination`, `combined` |
| a public multiple, sums of multiples | `public_power`, `product_of_powers` |
| inverses of many | `batch_invert` |
| many values in one plaintext | `SlotLayout`, `pack`, `pack_plain`, `unpack` |
| one mask over a whole plaintext | `Mask`, `add_mask` |
| fresh randomness on whatever leaves | `ShortExponentBlinder`, `draw_base` |
| packing and randomness in one | `pack_blinded` |
| any product and randomness in one | `RootedProduct`, `packed_products` |
| the check of many that were shown, all at once | `RootedClaim`, `all_hold` |
| a plaintext shown with proof, or several | `Opening`, `open_ciphertext`, `open_ciphertexts` |
| the check of such openings, and which of many do not hold | `verify_openings`, `false_openings` |
| checked ciphertexts from bytes, and back | `read_ciphertexts`, `write_ciphertexts` |

These are the implementation's own functions: nothing stands between the protocol and its hot path.
"""

from gmpy2 import mpz

from protocol.crypto.blinding import (
    ShortExponentBlinder,
    draw_base,
)
from protocol.crypto.linear import Combination, combined
from protocol.crypto.opening import (
    Opening,
    false_openings,
    open_ciphertext,
    open_ciphertexts,
    verify_openings,
)
from protocol.crypto.packing import (
    Mask,
    SlotLayout,
    add_mask,
    pack,
    pack_blinded,
    pack_plain,
    packed_products,
    unpack,
)
from protocol.crypto.paillier import PrivateKey, PublicKey, generate_private_key
from protocol.crypto.powers import (
    UPDATES_WINDOW,
    PowerTables,
    batch_invert,
    fitting_tables,
    product_of_powers,
    public_power,
    tables_if_kept,
    tables_of_inputs,
)
from protocol.crypto.rooted import RootedClaim, RootedProduct, all_hold
from protocol.crypto.validation import prove_key, read_ciphertexts, verify_public_key, write_ciphertexts

Ciphertext = mpz
"""An element of Z*_{n²}."""

__all__ = [
    "UPDATES_WINDOW",
    "Ciphertext",
    "Combination",
    "Mask",
    "Opening",
    "PowerTables",
    "PrivateKey",
    "PublicKey",
    "RootedClaim",
    "RootedProduct",
    "ShortExponentBlinder",
    "SlotLayout",
    "add_mask",
    "all_hold",
    "batch_invert",
    "combined",
    "draw_base",
    "false_openings",
    "fitting_tables",
    "generate_private_key",
    "open_ciphertext",
    "open_ciphertexts",
    "pack",
    "pack_blinded",
    "pack_plain",
    "packed_products",
    "product_of_powers",
    "prove_key",
    "public_power",
    "read_ciphertexts",
    "tables_if_kept",
    "tables_of_inputs",
    "unpack",
    "verify_openings",
    "verify_public_key",
    "write_ciphertexts",
]
