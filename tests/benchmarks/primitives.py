"""What each primitive costs, one at a time in one process, at the sizes of the diabetes training."""

import os
from collections.abc import Callable
from statistics import median
from time import perf_counter

import numpy as np
from gmpy2 import mpz
from pydantic import BaseModel

from protocol.crypto.blinding import ShortExponentBlinder
from protocol.crypto.fixed_point import encode, encode_matrix
from protocol.crypto.native.batch import rows_of_powers
from protocol.crypto.opening import open_ciphertext, verify_openings
from protocol.crypto.packing import SlotLayout, pack
from protocol.crypto.paillier import PrivateKey, generate_private_key
from protocol.crypto.randomness import Randomness
from protocol.crypto.rooted import RootedProduct
from protocol.learning.descent import affine_map
from protocol.learning.moments.widths import MomentWidths
from protocol.learning.scales import COEFFICIENT_SCALE, MODEL_SCALE
from tests.benchmarks.data import STEP_SIZE, Matrix, Split, pool
from tests.benchmarks.proofs import ProofBenchmark
from tests.support.thesis.thesis_way import Rows

LOCAL_STEPS = 5
RANGE_BITS = 24

Operations = dict[str, Callable[[], object]]


class PrimitiveReport(BaseModel):
    """Median milliseconds over `runs` runs, after one that fills tables and is not counted."""

    name: str
    milliseconds: float
    runs: int


def measure(split: Split, *, key_bits: int, runs: int) -> list[PrimitiveReport]:
    """Every primitive that a round is made of, the small ones first."""
    private = generate_private_key(key_bits)
    operations = {
        **_primitives(split, private),
        **_proofs(split, private).operations(),
    }
    return [
        PrimitiveReport(name=name, milliseconds=1e3 * _median_seconds(operation, runs), runs=runs)
        for name, operation in operations.items()
    ]


def factor_of(rows: Rows) -> Matrix:
    """R/√m of [X 1 y], (p+1)×(p+1)."""
    joined = np.column_stack([rows.features, rows.target]) / np.sqrt(len(rows.target))
    return np.asarray(np.linalg.qr(joined, mode="r"), dtype=np.float64)


def _median_seconds(operation: Callable[[], object], runs: int) -> float:
    operation()
    seconds = []
    for _ in range(runs):
        started = perf_counter()
        operation()
        seconds.append(perf_counter() - started)
    return median(seconds)


def _primitives(split: Split, private: PrivateKey) -> Operations:
    key, randomness = private.public_key, Randomness(os.urandom(32))
    blinder, exponent = ShortExponentBlinder(key, os.urandom(32)), int(randomness.unit(key.n))
    layout = _layout(split, private)
    matrix, _ = _affine_map(split)
    p = len(matrix)
    model = _encrypted(private, randomness, p)
    openings = [open_ciphertext(private, ciphertext) for ciphertext in model]
    coefficients = encode_matrix(matrix, COEFFICIENT_SCALE)
    return {
        "encrypt, with the private key": lambda: private.encrypt(1, randomness),
        "decrypt": lambda: private.decrypt(model[0]),
        "a power for the key's holder (cᵃ·rⁿ)": lambda: RootedProduct(
            [model[0]], [exponent], 0, randomness.unit(key.n)
        ).ciphertext(key),
        "blind for others (short exponent)": lambda: blinder.blind(model[:1], randomness),
        f"linear combination, {p}×{p}": lambda: rows_of_powers(model, coefficients, key.n_squared),
        f"pack {p} values": lambda: pack(key, model, layout),
        "open with proof": lambda: open_ciphertext(private, model[0]),
        f"verify {p} openings": lambda: verify_openings(key, model, openings, randomness),
    }


def _proofs(split: Split, private: PrivateKey) -> ProofBenchmark:
    return ProofBenchmark(
        private,
        parameters=split.trainers[0].features.shape[1],
        trainers=len(split.trainers),
        validators=len(split.validators),
    )


def _layout(split: Split, private: PrivateKey) -> SlotLayout:
    """Of what the buyer multiplies."""
    rows = pool(split.validators)
    widths = MomentWidths.fit(
        key_bits=private.public_key.bits,
        parameters=rows.features.shape[1],
        trainers=len(split.trainers),
        weights=len(rows.target),
        weight_bits=RANGE_BITS,
        residual_bits=RANGE_BITS,
    )
    return widths.request


def _affine_map(split: Split) -> tuple[Matrix, Matrix]:
    factor = factor_of(split.trainers[0])
    return affine_map(factor, step_size=STEP_SIZE, l2=0.0, local_steps=LOCAL_STEPS)


def _encrypted(private: PrivateKey, randomness: Randomness, count: int) -> list[mpz]:
    return [private.encrypt(weight, randomness) for weight in encode(np.full(count, 100.0), MODEL_SCALE)]
