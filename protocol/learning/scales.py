"""The two fixed-point scales from which all others follow, in bits behind the point."""

MODEL_SCALE = 64
"""f: models between rounds."""
COEFFICIENT_SCALE = 40
"""g: plaintext coefficients that multiply a model or a residual."""
UPDATE_SCALE = MODEL_SCALE + COEFFICIENT_SCALE
"""Local models: one product away from the model."""
ENTRY_SCALE = 64
"""h: entries of a Gram matrix."""
CARRY_BITS = 64
"""Bits kept free in a masked slot and on top of a masked plaintext: carries have probability 2⁻⁶⁴."""
NOISE_BITS = 24
"""Opened metrics carry uniform noise below m·(target range)²·2⁻²⁴, entries of pooled information m·2⁻²⁴:
an exact integer of 288 hidden bits would be a channel through which a chosen model reads data."""
