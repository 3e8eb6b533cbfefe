"""How sure the weights of a bought model are: the pooled information matrix, and what follows from it."""
