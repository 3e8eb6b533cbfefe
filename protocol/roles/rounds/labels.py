"""The labels of chance in a checked round, each drawn from at one place in the code.

A step's streams are told apart by their labels (`Context.randomness`), and two secrets out of one stream
cancel. A label is written once in this list and once where it is used.
"""

from enum import StrEnum


class Label(StrEnum):
    """What a stream of chance is for; one that serves several rings of a step is followed by the purpose."""

    # ---- the aggregator ----
    MOMENT_MASK = "moment mask"
    NEXT_MODEL = "blinding of a next model"
    SHOWN_SUMS = "openings of sums that are complained of"
    SHOWN_TEST = "opening of a test that is complained of"
    DENIED_TEST = "openings of a test that is denied"
    JUDGED_RANGES = "openings of trainers' ranges, to the aggregator"
    JUDGED_ERRORS = "openings of named errors, to the aggregator"

    # ---- aggregator and checkers ----
    SHARE_SEED = "ring share seed"
    RING_NONCE = "ring nonce"
    SUM_OPENINGS = "openings of sums"

    # ---- an owner ----
    COMMITMENTS = "commitments"
    UPDATE = "update"
    UPDATE_PROOF = "masks of an update's proof"
    METRIC = "metric"
    METRIC_PROOF = "masks of a metric's proof"
    QUESTION = "projection question"
    ZERO_TEST = "zero test"
    ZERO_OPENING = "opening of a zero test"
    INFORMATION = "shares of an information matrix"
    RANGES = "openings of trainers' ranges, to a checker"
    ERRORS = "openings of named errors, to a checker"

    # ---- the buyer ----
    MOMENT_ANSWER = "moment answer"
    PROJECTION_ANSWER = "projection answer"

    def about(self, what: str) -> str:
        """The label for one of several uses in a step."""
        return f"{self}: {what}"
