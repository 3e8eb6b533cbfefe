"""One parser under inputs for some seconds: what ends in a new way is kept and changed further.

How an input ends is told by the lines that its error passed through, which is all the coverage that a parser
which refuses things needs, and costs nothing.
"""

import resource
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from types import TracebackType
from typing import Any

from tests.fuzz.mutation import mutate
from tests.fuzz.parser import Parser

SEEDS = Path(__file__).parent / "seeds"
SECONDS = 2.0
"""Processor seconds that one input of at most `mutation.LONGEST` bytes may take."""

GROWTH_BYTES = 256 << 20
"""By how much one such input may raise the process's largest resident memory."""


@dataclass
class Report:
    """What became of one parser."""

    parser: str
    executions: int = 0
    accepted: int = 0
    endings: Counter[tuple[Any, ...]] = field(default_factory=Counter)
    findings: dict[str, bytes] = field(default_factory=dict)


def seeds_of(name: str) -> list[bytes]:
    """The inputs that found something once."""
    return [file.read_bytes() for file in sorted((SEEDS / name).glob("*"))]


def check(parser: Parser, content: bytes) -> tuple[tuple[Any, ...], str | None]:
    """How an input ended, and what is wrong with that: another error than declared, time, memory."""
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started = time.process_time()
    problem: str | None = None
    try:
        parser.run(content)
        ending: tuple[Any, ...] = ("accepted",)
    except parser.errors as error:
        ending = (type(error).__name__, *_lines(error.__traceback__))
    except Exception as error:  # noqa: BLE001  just these are looked for
        ending = (type(error).__name__, *_lines(error.__traceback__))
        problem = f"{type(error).__name__} at {ending[-1]}: {str(error)[:200]}"
    seconds = time.process_time() - started
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - memory) * 1024
    if problem is None and seconds > SECONDS:
        problem = f"{len(content)} bytes took {seconds:.1f} s of a processor; at most {SECONDS:.0f}"
    if problem is None and grown > GROWTH_BYTES:
        problem = f"{len(content)} bytes took {grown >> 20} MiB of memory; at most {GROWTH_BYTES >> 20}"
    return ending, problem


def _lines(traceback: TracebackType | None) -> Iterator[tuple[str, int]]:
    while traceback is not None:
        yield Path(traceback.tb_frame.f_code.co_filename).name, traceback.tb_lineno
        traceback = traceback.tb_next


def search(parser: Parser, seconds: float, seed: int, last: Path) -> Report:
    """Try inputs for so long. Each is in the file `last` before it is tried, should the process end of it."""
    chance, report = Random(seed), Report(parser.name)
    corpus = [*parser.examples(), *seeds_of(parser.name)]
    waiting = list(corpus)
    until = time.monotonic() + seconds
    while waiting or time.monotonic() < until:
        content = waiting.pop() if waiting else _next(corpus, parser.form, chance)
        last.write_bytes(content)
        ending, problem = check(parser, content)
        report.executions += 1
        report.accepted += ending == ("accepted",)
        report.endings[ending] += 1
        if problem is not None:
            report.findings.setdefault(problem.partition(":")[0], content)
        elif report.endings[ending] == 1 or chance.random() < 0.001:
            corpus.append(content)
    return report


def _next(corpus: list[bytes], form: str, chance: Random) -> bytes:
    content = chance.choice(corpus)
    for _ in range(chance.choice((1, 1, 2, 5))):
        content = mutate(content, chance.choice(corpus), form, chance)
    return content
