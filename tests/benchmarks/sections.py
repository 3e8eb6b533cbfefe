"""Tables in Markdown, and RESULTS.md as sections of which some may be made anew and the others kept."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

_HEAD = """\
# How good the models are

Written by `make bench-models`; ARGS="--only TITLE" makes only sections anew whose titles contain it. Each
seed holds 30 % of a table's rows out, which all models are scored on and none is trained on; the rest is
dealt to five owners. DeltaML's models are trained by a request's defaults: columns as the demo declares
them, logarithms included, 5 rounds of 500 steps from the target's mean, of which the best is delivered. The
models they are compared with see the rows of all trainers at once.

"""


def table(heads: Sequence[str], cells: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """Lines of a table whose first column holds the titles, all others figures."""
    yield f"| {' | '.join(heads)} |"
    yield f"| --- |{' ---: |' * (len(heads) - 1)}"
    yield from (f"| {title} | {' | '.join(row)} |" for title, row in cells.items())


def renewed(made: Mapping[str, Callable[[], str]], file: Path, only: str) -> str:
    """All sections in their order under the head; of `file` those whose title lacks `only`, if it has them.

    A section's text follows its title, which stands behind "## ".
    """
    kept = {} if not only or not file.exists() else _sections(file.read_text(encoding="utf-8"))
    texts = [
        kept[title] if title in kept and only not in title else f"## {title}\n\n{make()}"
        for title, make in made.items()
    ]
    return _HEAD + "\n".join(texts)


def _sections(text: str) -> dict[str, str]:
    parts = re.split(r"^(?=## )", text, flags=re.MULTILINE)[1:]
    return {part.partition("\n")[0].removeprefix("## "): part.rstrip("\n") + "\n" for part in parts}
