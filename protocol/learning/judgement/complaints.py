"""What a checker that does not find an attempt in order complains of.

Its verdict stops the attempt and names nobody by itself: two against one would let two owners name a third,
and one against the aggregator anybody. Who is named follows from what is shown with it
(`roles.aggregator.rounds.complaints`, `.ranges`).
"""

from enum import StrEnum


class Ground(StrEnum):
    """What a verdict complains of."""

    START = "start"
    PROOF = "proof"
    REQUEST = "request"
    SUBTRACTION = "subtraction"
    PROJECTION = "projection"
    QUESTION = "question"
    NEXT_MODEL = "next_model"
    SHOWN = "shown"
