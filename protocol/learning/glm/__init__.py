"""Generalized linear models: each owner's loss as a quadratic around the optimum of its own rows."""
