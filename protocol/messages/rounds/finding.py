"""After an attempt that the buyer's own word is against: what shows whose doing that is."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from protocol.envelope import SignedMessage
from protocol.messages.catalogue import AGGREGATOR, BUYER, OWNER, Catalogue, MessageBody
from protocol.messages.examples import VALIDATOR, relayed
from protocol.messages.rounds.values import Numbers, Shown
from protocol.types import Address

Openings = Annotated[tuple[Shown, ...], Field(max_length=100_000, fail_fast=True, repr=False)]


class ZeroTestEvidenceRequest(MessageBody):
    """FA → MB: show that a checker's test is not zero, as was said."""

    type: Literal["zero_test_evidence_request"] = "zero_test_evidence_request"
    checker: Address

    catalogue: ClassVar[Catalogue] = Catalogue(
        routes=((AGGREGATOR, BUYER),),
        sent_when="When a checker shows that the buyer has denied its test; once for each attempt.",
        answers=("zero_test_evidence",),
        deadline="step_s",
        on_silence="The training ends at the last recorded round, and the buyer is named.",
        carries="whose test",
        example=lambda: ZeroTestEvidenceRequest(checker=VALIDATOR),
    )


class ZeroTestEvidence(MessageBody):
    """MB → FA: a checker's question, its answer, and the openings of both and of the test, in this order.

    They are uniform numbers to who does not know the question's seeds, and never for a checker.
    """

    type: Literal["zero_test_evidence"] = "zero_test_evidence"
    checker: Address
    request: Numbers
    answer: Numbers
    openings: Openings

    catalogue: ClassVar[Catalogue] = Catalogue(
        routes=((BUYER, AGGREGATOR),),
        sent_when="Of a test that the buyer has denied; once.",
        carries="⟨β, θ̃_t⟩ + ρ, w, E_t, B and Z·a, opened",
        example=lambda: ZeroTestEvidence(
            checker=VALIDATOR,
            request=(b"\x05\x06",),
            answer=(b"\x05\x06",),
            openings=(Shown(plaintext=3000 << 64, root=0x2F1D),),
        ),
    )


class RangesAsked(MessageBody):
    """FA → checkers: have the ranges of all trainers' updates opened, in a ring as that of the next model.

    `complaint` is the verdict that shows the buyer's word against the attempt: without one nothing is opened.
    """

    type: Literal["ranges_asked"] = "ranges_asked"
    complaint: SignedMessage

    catalogue: ClassVar[Catalogue] = Catalogue(
        routes=((AGGREGATOR, OWNER),),
        sent_when="When the buyer's word against an attempt is not shown to be false; once for each attempt.",
        answers=("ring_committed",),
        deadline="step_s",
        on_silence="The training ends at the last recorded round, and everybody is told who is silent.",
        carries="the verdict that was complained with",
        seat="validators",
        example=lambda: RangesAsked(complaint=relayed("check_verdict", VALIDATOR)),
    )


class OpeningRelayed(MessageBody):
    """FA → checkers: an opening as the buyer has signed it for the aggregator, now that it goes on by it.

    Every checker then goes on by the same one, whatever the buyer has sent it, or has not.
    """

    type: Literal["opening_relayed"] = "opening_relayed"
    opening: SignedMessage

    catalogue: ClassVar[Catalogue] = Catalogue(
        routes=((AGGREGATOR, OWNER),),
        sent_when="When errors are opened after ranges, and when their round is repeated.",
        carries="an opening of ranges, or errors",
        seat="validators",
        example=lambda: OpeningRelayed(opening=relayed("ring_opening", VALIDATOR)),
    )
