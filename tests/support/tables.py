"""Tables as people have them: columns of unlike units, written to CSV."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

HOUSES = ("area", "rooms", "year", "distance", "tax", "income", "price")


def houses(count: int = 1500, seed: int = 5) -> NDArray[np.float64]:
    """Skewed columns between hundredths and hundred thousands, as `HOUSES` names them; the price is last."""
    generator = np.random.default_rng(seed)
    area = generator.lognormal(4.6, 0.4, count)
    rooms = np.clip(np.round(area / 28 + generator.normal(0, 0.8, count)), 1, 9)
    year = generator.integers(1900, 2024, count).astype(float)
    distance = generator.gamma(2, 4, count)
    tax = generator.uniform(0.03, 0.09, count)
    income = np.clip(generator.lognormal(10.3, 0.4, count), 5_000, 100_000)
    price = 1200 * area + 8000 * rooms + 300 * (year - 1960) - 2500 * distance - 400_000 * tax + 1.1 * income
    price = np.maximum(price + generator.normal(0, 30_000, count), 10_000)
    return np.column_stack([area, rooms, year, distance, tax, income, price])


def write_csv(path: Path, names: tuple[str, ...], rows: NDArray[np.float64]) -> Path:
    """Every digit of every value."""
    lines = [",".join(map(repr, row)) for row in rows.tolist()]
    path.write_text("\n".join([",".join(names), *lines]) + "\n")
    return path
