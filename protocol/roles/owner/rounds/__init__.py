"""A data owner in a round in which everything is proven: what it commits to, its proofs, and its checks."""
