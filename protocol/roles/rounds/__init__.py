"""What all roles share in a round in which everything is proven: aggregator, members and buyer agree by it.

Whoever must come to the same as another party takes it from one function here: weights and checkers
(`members`), widths, digests and what is signed (`attempt`), ciphertexts that are multiplied (`products`),
proofs (`proofs`), the record (`record`), and the ring of three shares (`ring`).
"""
