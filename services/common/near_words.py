"""What was probably meant by a word that is not known."""

import difflib
from collections.abc import Sequence

_LEAST_ALIKE = 0.6
_SHOWN = 24


def nearest(written: str, known: Sequence[str]) -> str | None:
    """The known word that begins with what was written, or else the one that is most like it, if any is."""
    plain = written.strip().lower().replace("-", "_").replace(" ", "_")
    beginning = [word for word in known if plain and word.lower().startswith(plain)]
    near = beginning[:1] or difflib.get_close_matches(plain, known, n=1, cutoff=_LEAST_ALIKE)
    return near[0] if near else None


def choice_text(written: str, known: Sequence[str]) -> str:
    """What was probably meant, and all that may be chosen."""
    near = nearest(written, known)
    rest = len(known) - _SHOWN
    words = ", ".join(known[:_SHOWN]) + (f" and {rest} more" if rest > 0 else "")
    return f"choose one of {words}" if near is None else f"did you mean {near!r}? There are {words}"


def meant_text(written: str, known: Sequence[str]) -> str:
    """What was probably meant, or where nothing is like it all that are known."""
    near = nearest(written, known)
    return f"known are {', '.join(known)}" if near is None else f"did you mean {near!r}?"
