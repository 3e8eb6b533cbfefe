"""The figures of protocol/CKKS.md: maps by Paillier beside those by CKKS, and what the latter give away."""

from collections.abc import Iterator, Mapping
from math import log2
from pathlib import Path
from typing import Any

from tests.benchmarks.machine import MachineReport
from tests.benchmarks.peers.sizes import MapFigures
from tests.benchmarks.peers.table import machine_line

PAGE = Path(__file__).parents[3] / "protocol" / "CKKS.md"
BEGIN, END = "<!-- begin: figures -->\n", "<!-- end: figures -->\n"

FLOODING_BITS = (40, 64, 128)
"""By how many bits noise exceeds what it hides, so that a result is within 2^−bits of one without it."""
KEPT_BITS = 20
"""Behind the point, after flooding."""
VALUE_BITS, SWITCHING_BITS = 20, 60
"""Of the modulus beside the scales of model and M: before the point, and for switching keys."""
LARGEST_MODULUS = {8192: 218, 16384: 438, 32768: 881}
"""Bits by degree N, at 128 of security: M. Albrecht et al., "Homomorphic encryption standard", 2018."""


def figures(
    machine: MachineReport,
    ours: Mapping[int, MapFigures],
    ckks: Mapping[int, MapFigures],
    leaks: Mapping[str, Any],
) -> str:
    """All tables, without the markers."""
    lines = [
        f"Measured on {machine_line(machine)}.",
        "",
        *_costs(ours, ckks),
        "",
        *_told(leaks),
        "",
        *_flooding(leaks),
    ]
    return "\n".join(lines) + "\n"


def renewed(page: str, text: str) -> str:
    """The page with these figures between its markers; raises ValueError where there are none."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"the page has no {BEGIN.strip()} with {END.strip()} behind it")
    return before + begin + text + end + after


def _costs(ours: Mapping[int, MapFigures], ckks: Mapping[int, MapFigures]) -> Iterator[str]:
    yield "| one map | processor ms | model, kB | result, kB | keys for rotations, MB | largest error |"
    yield "| --- | ---: | ---: | ---: | ---: | ---: |"
    for size in ours:
        for name, one in (("Paillier", ours[size]), ("CKKS", ckks[size])):
            yield (
                f"| p = {size}, {name} | {one.milliseconds:,.0f} | {one.model_bytes / 1e3:,.1f} | "
                f"{one.result_bytes / 1e3:,.1f} | {one.rotation_bytes / 1e6:.1f} | {one.error:.0e} |"
            )


def _told(leaks: Mapping[str, Any]) -> Iterator[str]:
    errors, keys = leaks["errors"], leaks["keys"]
    grown = "; ".join(f"{factor} M: {one:.1e}" for factor, one in leaks["growth"].items())
    same = "; ".join(f"{name}: {'yes' if one else 'no'}" for name, one in leaks["repeated"].items())
    rows = {
        "noise e of a fresh model, standard deviation": f"{errors['noise']:.1e}",
        "error of its map's result, from a model of zeros": f"{errors['error']:.1e}",
        "the same where M is larger": grown,
        "error from weights of hundreds": f"{leaks['error_of_large']:.1e}",
        "correlation of the error from zeros with M·e": f"{errors['correlation']:.2f}",
        f"M's diagonal solved from {errors['results']} results, median error": f"{errors['diagonal']:.0%}",
        "the key, modulo a prime, from two decrypted full vectors": f"{keys['recovered']} of {keys['tried']}",
        "the same operation twice gives the same bytes": same,
    }
    yield from ("| what is tried | found |", "| --- | --- |")
    yield from (f"| {name} | {found} |" for name, found in rows.items())


def _flooding(leaks: Mapping[str, Any]) -> Iterator[str]:
    """Noise of 2^bits times the error leaves so much; a larger scale buys accuracy back bit by bit."""
    error, scale = leaks["error_of_large"], leaks["parameters"]["scale_bits"]
    yield f"| flooding | accuracy left at a scale of 2^{scale} | scale for 2^−{KEPT_BITS} | modulus | N |"
    yield "| --- | ---: | ---: | ---: | ---: |"
    for bits in FLOODING_BITS:
        left = round(log2(error)) + bits
        needed = scale + left + KEPT_BITS
        modulus = 2 * needed + VALUE_BITS + SWITCHING_BITS
        ring = next((ring for ring, most in LARGEST_MODULUS.items() if modulus <= most), "none of these")
        cells = (f"{bits} bits", f"2^{left}", f"2^{needed}", f"{modulus} bits", str(ring))
        yield f"| {' | '.join(cells)} |".replace("^-", "^−")
