"""The checkers' part: are the moments those of the signed updates? And what each of them found."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from protocol.envelope import SignedMessage
from protocol.messages.catalogue import AGGREGATOR, BUYER, OWNER, Catalogue, MessageBody
from protocol.messages.examples import DIGEST, SIGNATURE, VALIDATOR, relayed
from protocol.messages.rounds.values import AttemptDigests, Number, Numbers, Seed, Shown
from protocol.types import Digest, EcdsaSignature

_SEAT: Literal["validators"] = "validators"

VerdictGround = Literal[
    "start", "proof", "request", "subtraction", "projection", "question", "next_model", "shown"
]
"""`protocol.learning.judgement.complaints.Ground`, as it travels."""


class ProjectionRequest(MessageBody):
    """Checker → MB: Enc⟨β, θ̃_t⟩ of the signed updates, packed and masked, under secret β."""

    type: Literal["projection_request"] = "projection_request"
    masked: Numbers

    catalogue: ClassVar[Catalogue] = Catalogue(
        routes=((OWNER, BUYER),),
        sent_when="When a checker finds the evidence in order; once for each attempt.",
        answers=("projection_answer",),
        deadline="step_s",
        on_silence="The training ends at the last recorded round.",
        carries="⟨β, θ̃_t⟩ + ρ",
        seat=_SEAT,
        example=lambda: ProjectionRequest(masked=(b"\x05\x06",)),
    )


class ProjectionAnswer(MessageBody):
    """MB → checker: the products of what it asked about, encrypted freshly."""

    type: Literal["projection_answer"] = "projection_answer"
    request_digest: Digest
    numbers: Numbers

    catalogue: ClassVar[Catalogue] = Catalogue(
        routes=((BUYER, OWNER),),
        sent_when="Once for each checker and attempt.",
        carries="w, E_t, B of the projections",
        seat=_SEAT,
        example=lambda: ProjectionAnswer(request_digest=DIGEST, numbers=(b"\x05\x06",)),
    )


class ZeroTestShown(MessageBody):
    """Checker → the other: question, answer and test, and the seeds that they follow from.

    The question stands under the signature of this message, and the buyer's answer names its digest.
    """

    type: Literal["zero_test_shown"] = "zero_test_shown"
    request: ProjectionRequest
    answer: SignedMessage
    zero: Annotated[Number, Field(repr=False)]
    question_seed: Annotated[Seed, Field(repr=False)]
    test_seed: Annotated[Seed, Field(repr=False)]

    catalogue: ClassVar[Catalogue] = Catalogue(
        routes=((OWNER, OWNER),),
        sent_when="When the buyer has answered a checker's question.",
        answers=("zero_test_consent",),
        deadline="step_s",
        on_silence="The attempt is over, and the silent checker is left out of the next.",
        carries="β, and Enc(Z·a)",
        seat=_SEAT,
        example=lambda: ZeroTestShown(
            request=ProjectionRequest(masked=(b"\x05\x06",)),
            answer=relayed("projection_answer", VALIDATOR),
            zero=b"\x05",
            question_seed=b"\x01" * 32,
            test_seed=b"\x02" * 32,
        ),
    )


class ZeroTestConsent(MessageBody):
    """The other checker → the asker: its signature of question, answer and test, and the test that it signed.

    Beside what the buyer says of the test it shows anybody whether that is so. A checker that does not sign
    says so in a verdict, with what it was shown.
    """

    type: Literal["zero_test_consent"] = "zero_test_consent"
    zero: Annotated[Number, Field(repr=False)]
    signature: EcdsaSignature

    catalogue: ClassVar[Catalogue] = Catalogue(
        routes=((OWNER, OWNER),),
        sent_when="When the question was made again from its seeds.",
        carries="a signature of the zero test",
        seat=_SEAT,
        example=lambda: ZeroTestConsent(zero=b"\x05", signature=SIGNATURE),
    )


class ZeroTestRequest(MessageBody):
    """Checker → MB: is this zero? With the other checker's signature, without which nothing is opened."""

    type: Literal["zero_test_request"] = "zero_test_request"
    zero: Annotated[Number, Field(repr=False)]
    signature: EcdsaSignature

    catalogue: ClassVar[Catalogue] = Catalogue(
        routes=((OWNER, BUYER),),
        sent_when="When the other checker has signed.",
        answers=("zero_test_result",),
        deadline="step_s",
        on_silence="The training ends at the last recorded round.",
        carries="Enc(Z·a), signed by both checkers",
        seat=_SEAT,
        example=lambda: ZeroTestRequest(zero=b"\x05", signature=SIGNATURE),
    )


class ZeroTestResult(MessageBody):
    """MB → checker: the proof that the test is zero; nothing, where it is not."""

    type: Literal["zero_test_result"] = "zero_test_result"
    opening: Shown | None = None

    catalogue: ClassVar[Catalogue] = Catalogue(
        routes=((BUYER, OWNER),),
        sent_when="Once for each checker and attempt.",
        carries="zero, with proof",
        seat=_SEAT,
        example=lambda: ZeroTestResult(opening=Shown(plaintext=0, root=0x2F1D)),
    )


class CheckVerdict(MessageBody):
    """Checker → FA, V: whether an attempt is in order; others act only on two that agree.

    `ground` says what is not, `evidence` shows what it was sent: of its own test the buyer's result with the
    other checker's consent; of the other one's the question with its seeds, which is given up by that; of
    what others were shown their commitments to something else.
    `projection` is the digest that its zero test was signed by.
    """

    type: Literal["check_verdict"] = "check_verdict"
    in_order: bool
    digests: AttemptDigests | None = None
    projection: Digest | None = None
    ground: VerdictGround | None = None
    evidence: Annotated[tuple[SignedMessage, ...], Field(max_length=8)] = ()

    catalogue: ClassVar[Catalogue] = Catalogue(
        routes=((OWNER, AGGREGATOR), (OWNER, OWNER)),
        sent_when="When both of a checker's tests are through, or one has failed.",
        carries="a verdict, signed",
        seat=_SEAT,
        example=lambda: CheckVerdict(in_order=False, ground="start"),
    )
