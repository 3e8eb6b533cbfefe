"""What a judgement comes to: somebody is named, or something must be shown first."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from protocol.learning.projection.answer import Finding


class Offence(StrEnum):
    """What somebody is named for."""

    FALSE_OPENING = "bad_opening"
    WRONG_PRODUCTS = "wrong_products"
    ZERO_DENIED = "zero_denied"
    WRONG_MOMENTS = "wrong_moments"
    FALSE_STATEMENT = "false_statement"
    OTHER_START = "other_start"
    TWO_VERSIONS = "two_versions"
    UNPROVEN_UPDATE = "unproven_update"
    OTHER_REQUEST = "other_request"
    WRONG_SUBTRACTION = "wrong_subtraction"
    OUT_OF_RANGE = "out_of_range"
    FALSE_QUESTION = "false_question"
    FALSE_REFUSAL = "false_refusal"
    FALSE_COMPLAINT = "false_complaint"
    NEGATIVE_ERROR = "negative_error"


class Fault(NamedTuple):
    """Who is named, and what for."""

    accused: str
    offence: Offence


class Demand(StrEnum):
    """What must be shown before anybody is named; who does not show it in time is silent, not at fault.

    Of the aggregator: masks and roots of its request; roots of its subtraction. Of the buyer: what shows that
    a test is not zero; openings of the trainers' ranges and of each member's metric, with proof, whatever
    they come to: its word that one is out of range names nobody. Of checkers: the tests of
    both; the shares that the complaining one took off an opening.
    """

    REQUEST_MASKS = "request_masks"
    EVIDENCE = "evidence"
    TESTS = "tests"
    RANGES = "ranges"
    SUBTRACTION_ROOTS = "subtraction_roots"
    SHARES = "shares"
    MEMBER_METRICS = "member_metrics"


Judgement = tuple[Fault, ...] | Demand


@dataclass(frozen=True, slots=True)
class Parties:
    """Addresses of who can be named in a round's checks."""

    buyer: str
    aggregator: str
    checkers: tuple[str, str]


@dataclass(frozen=True, slots=True)
class Findings:
    """What a judge found by looking itself; None, or nobody's entry, where it has not been shown yet.

    - request: the shown masks make the signed request again, byte for byte (`moments.recomputation`)
    - evidence: what the buyer's evidence about each checker's test comes to (`projection.answer`),
      FALSE_OPENING also for an opening that proves nothing
    - in_range: for every trainer, whether its update is, by openings with proof
    - subtraction: the next model is the answer's without masks (`moments.recomputation`)
    - shares: with the shares that a checker shows, the opening of the next model's check is as it said
    """

    request: bool | None = None
    evidence: Mapping[str, Finding] = field(default_factory=dict)
    in_range: Mapping[str, bool] | None = None
    subtraction: bool | None = None
    shares: bool | None = None
