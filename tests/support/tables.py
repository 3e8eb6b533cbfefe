"""Tables as people have them: columns of unlike units, written to CSV."""

import csv
import importlib.util
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_iris, load_wine

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


def mixed_houses(count: int = 1500, seed: int = 7) -> dict[str, list[object]]:
    """Houses as a spreadsheet has them: texts, yes and no, dates, a long tail, and gaps (None)."""
    generator = np.random.default_rng(seed)
    area = generator.lognormal(4.6, 0.3, count)
    heating = generator.choice(["gas", "oil", "electric", "heat pump"], count, p=[0.5, 0.25, 0.15, 0.1])
    garden = generator.random(count) < 0.4
    built = np.datetime64("1950-01-01") + generator.integers(0, 27_000, count)
    distance = generator.lognormal(1.2, 1.1, count)
    rooms = np.clip(np.round(area / 28 + generator.normal(0, 0.8, count)), 1, 9)
    worth = {"gas": 0, "oil": -15_000, "electric": -5_000, "heat pump": 20_000}
    price = 1200 * area + 25_000 * garden + 8_000 * rooms - 22_000 * np.log(distance)
    price += 400 * (built.astype("M8[Y]").astype(int)) + np.array([worth[one] for one in heating])
    price = np.round(np.maximum(price + generator.normal(0, 20_000, count), 10_000))
    columns = {
        "area": area.round(1),
        "heating": heating,
        "garden": np.where(garden, "yes", "no"),
        "built": built.astype(str),
        "distance": distance.round(2),
        "rooms": rooms,
        "price": price,
    }
    table: dict[str, list[object]] = {name: list(values.tolist()) for name, values in columns.items()}
    for name in ("area", "heating", "rooms"):
        for place in np.flatnonzero(generator.random(count) < 0.08):
            table[name][place] = None
    return table


def write_columns(path: Path, columns: Mapping[str, Sequence[object]]) -> Path:
    """A CSV file of columns of any kind, None as a gap."""
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([columns, *zip(*columns.values(), strict=True)])
    return path


def _of_vega_datasets(file: str) -> Path:
    specification = importlib.util.find_spec("vega_datasets")
    assert specification is not None
    [folder] = specification.submodule_search_locations or ()
    return Path(folder, "_data", file)


def cars() -> dict[str, list[object]]:
    """Cars of the seventies and how far they go, of vega_datasets: origins, years, gaps in the power."""
    rows = json.loads(_of_vega_datasets("cars.json").read_text())
    names = [name for name in rows[0] if name not in ("Name", "Miles_per_Gallon")]
    known = [row for row in rows if row["Miles_per_Gallon"] is not None]
    return {name: [row[name] for row in known] for name in (*names, "Miles_per_Gallon")}


def weather() -> dict[str, list[object]]:
    """Four years of Seattle's days and how warm they were, of vega_datasets: dates, kinds of weather."""
    with _of_vega_datasets("seattle-weather.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    numbers = ("precipitation", "temp_min", "wind", "temp_max")
    days = [row["date"].replace("/", "-")[:10] for row in rows]
    texts: dict[str, list[object]] = {"date": [*days], "weather": [row["weather"] for row in rows]}
    return texts | {name: [float(row[name]) for row in rows] for name in numbers}


def wine() -> dict[str, list[object]]:
    """What is in 178 wines, the alcohol last, of scikit-learn."""
    data = load_wine()
    alcohol, *others = zip(data.feature_names, data.data.T.tolist(), strict=True)
    return dict([*others, alcohol])


def iris() -> dict[str, list[object]]:
    """150 irises and how wide their petals are, of scikit-learn: a species and three lengths."""
    data = load_iris()
    species = [str(data.target_names[place]) for place in data.target]
    *lengths, width = zip(data.feature_names, data.data.T.tolist(), strict=True)
    return dict([("species", species), *lengths, width])
