"""The owners' maps on a model that Paillier encrypts: by DeltaML's arithmetic, and by phe as it comes.

As by CKKS, the buyer decrypts each round's mean and encrypts it anew, unmasked; no message, no proof.
"""

import os
from statistics import median
from time import process_time

import numpy as np
from gmpy2 import mpz
from phe import paillier

from protocol.crypto.blinding import ShortExponentBlinder
from protocol.crypto.fixed_point import decode, encode, encode_matrix
from protocol.crypto.native.batch import rows_of_powers
from protocol.crypto.paillier import PrivateKey, generate_private_key
from protocol.crypto.randomness import Randomness
from protocol.learning.scales import COEFFICIENT_SCALE, MODEL_SCALE, UPDATE_SCALE
from services.native.loading import use_arithmetic
from tests.benchmarks.peers.answer import Answer, Stopwatch, answer
from tests.benchmarks.peers.job import AffineMap, Job, Matrix
from tests.benchmarks.peers.sizes import MapFigures


class PaillierMaps:
    """One key, its holder and a map's owner."""

    def __init__(self, key_bits: int) -> None:
        self.private: PrivateKey = generate_private_key(key_bits)
        self.key, self._randomness = self.private.public_key, Randomness(os.urandom(32))
        self._blinder = ShortExponentBlinder(self.key, os.urandom(32))

    def encrypt(self, weights: Matrix) -> list[mpz]:
        """A model, by the key's holder."""
        return self.private.encrypt_all(encode(weights, MODEL_SCALE), self._randomness)

    def mapped(self, model: list[mpz], one: AffineMap) -> list[mpz]:
        """Ciphertexts of Mθ + v, blinded anew."""
        rows = encode_matrix(one.matrix, COEFFICIENT_SCALE)
        products = rows_of_powers(model, rows, self.key.n_squared)
        numbers = encode(one.vector, UPDATE_SCALE)
        sums = [
            product * self.key.lift(number) % self.key.n_squared
            for product, number in zip(products, numbers, strict=True)
        ]
        return self._blinder.blind(sums, self._randomness)

    def decrypt(self, update: list[mpz]) -> Matrix:
        """Of a local model, or of a sum of some."""
        return decode([self.key.signed(one) for one in self.private.decrypt_all(update)], UPDATE_SCALE)


def solve(job: Job, *, key_bits: int) -> Answer:
    """The job's rounds, keys included."""
    clock, maps, arithmetic = Stopwatch(), _shares(job), use_arithmetic()
    with clock.running():
        party, weights = PaillierMaps(key_bits), job.start()
        for _ in range(job.rounds):
            model = party.encrypt(weights)
            updates = [party.mapped(model, one) for one in maps]
            weights = party.decrypt([party.key.add(*parts) for parts in zip(*updates, strict=True)])
    return answer(weights, clock, note=f"{key_bits} bits, {arithmetic.partition(':')[0]}")


def solve_by_phe(job: Job, *, key_bits: int) -> Answer:
    """The same by phe's encrypted numbers, which are sent blinded and whose exponents travel in clear."""
    clock, maps = Stopwatch(), _shares(job)
    with clock.running():
        key, private = paillier.generate_paillier_keypair(n_length=key_bits)
        weights = job.start()
        for _ in range(job.rounds):
            model = np.array([key.encrypt(float(weight)) for weight in weights])
            updates = [one.matrix.dot(model) + one.vector for one in maps]
            for number in (number for update in updates for number in update):
                number.ciphertext()  # blinds it
            total = sum(updates[1:], start=updates[0])
            weights = np.array([private.decrypt(number) for number in total])
    return answer(weights, clock, note=f"{key_bits} bits")


def figures(job: Job, *, key_bits: int, runs: int) -> MapFigures:
    """Of the first trainer's map on a random model."""
    use_arithmetic()
    party, one = PaillierMaps(key_bits), job.map_of(0)
    weights = np.random.default_rng(7).uniform(-100, 100, job.parameters)
    model, seconds = party.encrypt(weights), []
    for _ in range(runs):
        started = process_time()
        update = party.mapped(model, one)
        seconds.append(process_time() - started)
    size = job.parameters * party.key.ciphertext_length
    error = np.abs(party.decrypt(update) - one.matrix @ weights - one.vector).max()
    return MapFigures(1e3 * median(seconds), size, size, 0, float(error))


def _shares(job: Job) -> list[AffineMap]:
    count = len(job.trainers)
    return [AffineMap(one.matrix / count, one.vector / count) for one in job.maps()]
