"""TenSEAL: the owners' maps on a model that CKKS encrypts, the buyer's key and all parties in one process.

The buyer encrypts the round's model, each trainer maps it, divided by the number of trainers, the
aggregator adds, and the buyer decrypts the sum and encrypts it anew: without a mask, so the buyer sees each
round's model.
"""

import tenseal

from tests.benchmarks.peers.answer import Answer, Stopwatch, answer, answering
from tests.benchmarks.peers.job import AffineMap, Job
from tests.benchmarks.peers.parameters import PRIME_BITS, RING, context, drift


def mapped(buyer: tenseal.Context, model: tenseal.CKKSVector, one: AffineMap) -> tenseal.CKKSVector:
    """The ciphertext of Mθ + v, M divided by the drift; TenSEAL starts the sum with an encryption of zero."""
    matrix = one.matrix.T / drift(buyer)
    return model.matmul(matrix.tolist()).add(one.vector.tolist())


def solve(job: Job) -> Answer:
    """The job's rounds, keys included."""
    clock, count = Stopwatch(), len(job.trainers)
    maps = [AffineMap(one.matrix / count, one.vector / count) for one in job.maps()]
    with clock.running():
        buyer = context()
        weights = job.start().tolist()
        for _ in range(job.rounds):
            model = tenseal.ckks_vector(buyer, weights)
            updates = [mapped(buyer, model, one) for one in maps]
            weights = sum(updates[1:], start=updates[0]).decrypt()
    return answer(weights, clock, "tenseal", note=f"N = {RING}, modulus of {sum(PRIME_BITS)} bits")


if __name__ == "__main__":
    answering(solve)
