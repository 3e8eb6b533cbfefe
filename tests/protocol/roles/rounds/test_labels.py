"""A label of chance is used at one place: two secrets out of one stream cancel."""

import ast
from collections import Counter
from pathlib import Path

import protocol
from protocol.crypto.randomness import Randomness
from protocol.roles.rounds.labels import Label

ROOT = Path(protocol.__file__).parent


def uses() -> Counter[str]:
    """How often each member of `Label` is named in the code."""
    found: Counter[str] = Counter()
    texts = (path.read_text() for path in sorted(ROOT.rglob("*.py")))
    for text in (one for one in texts if "Label" in one):
        for node in ast.walk(ast.parse(text)):
            if (
                isinstance(node, ast.Attribute)
                and isinstance(node.value, ast.Name)
                and node.value.id == "Label"
            ):
                found[node.attr] += 1
    return found


def test_every_label_is_used_at_one_place() -> None:
    assert uses() == Counter(list(Label.__members__))


def test_labels_give_independent_streams() -> None:
    stream = Randomness(b"l" * 32)
    drawn = {stream.child(label).bytes(16) for label in Label}
    drawn |= {stream.child(label.about("metric")).bytes(16) for label in Label}
    assert len(drawn) == 2 * len(Label)
