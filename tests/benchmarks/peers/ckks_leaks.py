"""What a decrypted CKKS result tells of the owner's map, and of the key; `python -m … JOB ANSWER`, by peers.

- The error of a result is M·e plus rounding, e the noise of the model's encryption. Its maker knows e by
  decrypting what it encrypted. Every training starts from a model that all know, so that results of several
  starts differ by M·(e − e′) alone, and each is p equations for M.
- Decrypted slots are known with their error. Two fresh ciphertexts of full vectors and their decryptions make
  the key two linear equations modulo a prime (Li, Micciancio, "On the security of homomorphic encryption on
  approximate numbers", Eurocrypt 2021).
"""

import sys
import tempfile
from pathlib import Path

import numpy as np
import tenseal
import zstandard
from numpy.typing import NDArray
from tenseal import sealapi

from tests.benchmarks.peers.answer import write_answer
from tests.benchmarks.peers.job import AffineMap, Job, Matrix
from tests.benchmarks.peers.parameters import PRIME_BITS, RING, SCALE_BITS, context, primes
from tests.benchmarks.peers.with_tenseal import mapped

RESULTS, GROWTH_RESULTS, KEYS = 200, 10, 3
FACTORS = (1, 10, 100)
"""What M is multiplied by to see its noise grow."""
LARGEST_WEIGHT = 700.0
"""Of the diabetes data's models."""
_SEAL_HEADER = 16
_NUMBER = 8


def errors(buyer: tenseal.Context, one: AffineMap, results: int, largest: float) -> tuple[Matrix, Matrix]:
    """(noise of models, error of their maps' results), each results×p, for random models up to `largest`."""
    chance, noise, found = np.random.default_rng(7), [], []
    for _ in range(results):
        weights = chance.uniform(-largest, largest, len(one.vector))
        model = tenseal.ckks_vector(buyer, weights)
        noise.append(np.array(model.decrypt()) - weights)
        exact = one.matrix @ weights + one.vector
        found.append(np.array(mapped(buyer, model, one).decrypt()) - exact)
    return np.array(noise), np.array(found)


def map_in_errors(buyer: tenseal.Context, one: AffineMap, results: int = RESULTS) -> dict[str, float]:
    """How much of the errors is M·e from zeros, and how near to M's diagonal a solution comes.

    The mean of the results is taken for the exact one, so that nothing but results and noise is needed. Of
    the entries' relative errors it is the median: by key, some slots have hardly any noise and tell little.
    """
    noise, found = errors(buyer, one, results, 0)
    expected, found = noise @ one.matrix.T, found - found.mean(axis=0)
    solved = np.linalg.lstsq(noise, found, rcond=None)[0].T
    return {
        "results": results,
        "noise": float(noise.std()),
        "error": float(found.std()),
        "correlation": float(np.corrcoef(expected.ravel(), found.ravel())[0, 1]),
        "diagonal": float(np.median(np.abs(np.diag(solved) / np.diag(one.matrix) - 1))),
    }


def growth(buyer: tenseal.Context, one: AffineMap, results: int = GROWTH_RESULTS) -> dict[str, float]:
    """The standard deviation of the error by what M is multiplied by, from a start of zeros."""
    return {
        f"{factor:g}": float(errors(buyer, AffineMap(factor * one.matrix, one.vector), results, 0)[1].std())
        for factor in FACTORS
    }


def repeated(buyer: tenseal.Context, parameters: int) -> dict[str, bool]:
    """Whether an operation on the same ciphertext with the same numbers gives the same bytes twice."""
    numbers = np.linspace(-1, 1, parameters)
    model, row = tenseal.ckks_vector(buyer, numbers), numbers.tolist()
    operations = {
        "sum": lambda: model.add(row),
        "product by entries": lambda: model.mul(row),
        "product with a matrix": lambda: model.matmul(np.diag(numbers).tolist()),
    }
    return {name: make().serialize() == make().serialize() for name, make in operations.items()}


def key_recovered() -> bool:
    """Whether two decryptions give the secret key away, modulo the first prime.

    A vector of real numbers is decrypted to the real part of its slots, so that each tells c₀ + c₁s and its
    conjugate together; in the order of SEAL's transform, conjugation turns an array around.
    """
    buyer = context()
    prime, chance = primes(buyer)[0], np.random.default_rng()
    rows = [_equation(buyer, chance.uniform(-1, 1, RING // 2), prime) for _ in range(2)]
    (a, b, c), (d, e, f) = rows
    solved = [
        (int(ci) * int(ei) - int(bi) * int(fi))
        * pow(int(ai) * int(ei) - int(bi) * int(di), -1, prime)
        % prime
        for ai, bi, ci, di, ei, fi in zip(a, b, c, d, e, f, strict=True)
    ]
    key = _numbers(buyer.secret_key().data)[-len(PRIME_BITS) * RING :][:RING]
    return solved == key.tolist()


def _equation(buyer: tenseal.Context, numbers: Matrix, prime: int) -> tuple[list[int], list[int], list[int]]:
    """a·s + b·s̄ = c modulo the prime, at each of N points: from a ciphertext and its decryption alone."""
    vector = tenseal.ckks_vector(buyer, numbers)
    ciphertext, count = vector.ciphertext()[0], len(primes(buyer))
    body = _numbers(ciphertext)[-2 * count * RING :]
    first, second = body[:RING], body[count * RING :][:RING]
    twice = sealapi.Plaintext()
    sealapi.CKKSEncoder(buyer.seal_context().data).encode(
        [2 * number for number in vector.decrypt()], 2.0**SCALE_BITS, twice
    )
    opened = _numbers(twice)[-count * RING :][:RING]
    known = [(int(m) - int(c) - int(d)) % prime for m, c, d in zip(opened, first, first[::-1], strict=True)]
    return second.tolist(), second[::-1].tolist(), known


def _numbers(sealed) -> NDArray[np.uint64]:
    """Whole words at the end of what SEAL saves, compressed by zstd behind a header."""
    with tempfile.NamedTemporaryFile() as file:
        sealed.save(file.name)
        packed = Path(file.name).read_bytes()[_SEAL_HEADER:]
    content = zstandard.ZstdDecompressor().decompressobj().decompress(packed)
    return np.frombuffer(content[len(content) % _NUMBER :], dtype=np.uint64)


def main(job: Job) -> dict[str, object]:
    """All of it, for the first trainer's map."""
    buyer, one = context(), job.map_of(0)
    recovered = sum(key_recovered() for _ in range(KEYS))
    return {
        "parameters": {"scale_bits": SCALE_BITS, "ring": RING},
        "errors": map_in_errors(buyer, one),
        "error_of_large": float(errors(buyer, one, GROWTH_RESULTS, LARGEST_WEIGHT)[1].std()),
        "growth": growth(buyer, one),
        "repeated": repeated(buyer, job.parameters),
        "keys": {"tried": KEYS, "recovered": recovered},
    }


if __name__ == "__main__":
    write_answer(Path(sys.argv[2]), main(Job.read(Path(sys.argv[1]))))
