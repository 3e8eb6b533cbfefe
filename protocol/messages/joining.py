"""Before the rounds: announcement, request, invitation, and who takes which seat."""

from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from protocol.data_card import MOST_CARD_BYTES, Cards
from protocol.messages.catalogue import AGGREGATOR, BUYER, OWNER, Catalogue, MessageBody
from protocol.messages.examples import DIGEST, any_card, any_request
from protocol.messages.values import BigNatural, Count, KeyProof, Moment
from protocol.request import Request
from protocol.types import Address, Code, Digest, FrozenModel


class OwnerAnnouncement(MessageBody):
    """DO → FA: an owner is there, with data for these kinds of model; the cards that it lists."""

    type: Literal["owner_announcement"] = "owner_announcement"
    model_kinds: Annotated[tuple[Code, ...], Field(max_length=16)]
    cards: Cards = ()

    catalogue: ClassVar[Catalogue] = Catalogue(
        routes=((OWNER, AGGREGATOR),),
        sent_when="At the start of the owner's daemon and when its cards change, to each of its aggregators.",
        answers=("announcement_answer",),
        on_silence="The announcement is repeated until it is answered.",
        maximum_bytes=2 * MOST_CARD_BYTES,
        example=lambda: OwnerAnnouncement(model_kinds=("linear_regression",), cards=(any_card(),)),
    )


class AnnouncementAnswer(MessageBody):
    """FA → DO: whether the owner is on the admission list, and which cards (`cards_digest`) this answers."""

    type: Literal["announcement_answer"] = "announcement_answer"
    accepted: bool
    code: Code
    cards: Digest

    catalogue: ClassVar[Catalogue] = Catalogue(
        routes=((AGGREGATOR, OWNER),),
        sent_when="On each announcement.",
        example=lambda: AnnouncementAnswer(accepted=True, code="admitted", cards=DIGEST),
    )


class TrainingRequest(MessageBody):
    """MB → FA, when `Opened` is confirmed: document, and key with proof."""

    type: Literal["training_request"] = "training_request"
    request: Request
    public_key: BigNatural
    key_proof: KeyProof

    catalogue: ClassVar[Catalogue] = Catalogue(
        routes=((BUYER, AGGREGATOR),),
        sent_when="When `Opened` is confirmed.",
        answers=("request_answer",),
        deadline="chain_s",
        on_silence="The buyer cancels the training on chain.",
        example=lambda: TrainingRequest(request=any_request(), public_key=0xC5A1, key_proof=(b"\x07\x08",)),
    )


class RequestAnswer(MessageBody):
    """FA → MB: whether invitations go out."""

    type: Literal["request_answer"] = "request_answer"
    accepted: bool
    code: Code

    catalogue: ClassVar[Catalogue] = Catalogue(
        routes=((AGGREGATOR, BUYER),),
        sent_when="When the request and the confirmed `Opened` are both there and compared.",
        example=lambda: RequestAnswer(accepted=True, code="accepted"),
    )


class Invitation(MessageBody):
    """FA → DO: a training that the owner may join until `join_until` (Unix seconds)."""

    type: Literal["invitation"] = "invitation"
    request: Request
    public_key: BigNatural
    key_proof: KeyProof
    join_until: Moment

    catalogue: ClassVar[Catalogue] = Catalogue(
        routes=((AGGREGATOR, OWNER),),
        sent_when="When the request is accepted, to every owner that was admitted.",
        answers=("invitation_answer",),
        deadline="join_s",
        on_silence="The owner counts as having declined.",
        example=lambda: Invitation(
            request=any_request(), public_key=0xC5A1, key_proof=(b"\x07\x08",), join_until=1_700_000_600
        ),
    )


_DECISION_OF = {
    "accepted": "accepted",
    "asks_person": "waiting",
    "buyer_not_accepted": "waiting",
    "bond_not_accepted": "waiting",
    "budget_spent": "waiting",
    "reveal_too_short": "waiting",
}
"""The decision that a code belongs to; all others decline."""


class InvitationAnswer(MessageBody):
    """DO → FA: the decision: of cards, policy and budget, or a person's, never of rows.

    `waiting` while a person may still join, because nothing but that, this buyer, a bond, a spent budget or a
    short time to reveal asks.
    Who accepts tells the hash of the card it would join with, the digest of its commitments (`committed`),
    and the digest of both that the chain will show (`join_digests`).
    """

    type: Literal["invitation_answer"] = "invitation_answer"
    decision: Literal["accepted", "declined", "waiting"]
    code: Literal[
        "accepted",
        "no_matching_card",
        "pay_below_least",
        "token_not_taken",
        "declined_by_person",
        "asks_person",
        "buyer_not_accepted",
        "bond_not_accepted",
        "budget_spent",
        "reveal_too_short",
    ]
    card: Digest | None = None
    commitment: Digest | None = None
    committed: Digest | None = None

    @model_validator(mode="after")
    def _one_meaning(self) -> Self:
        if _DECISION_OF.get(self.code, "declined") != self.decision:
            raise ValueError(f"code {self.code} does not belong to decision {self.decision}")
        if self.decision == "accepted" and None in (self.card, self.commitment, self.committed):
            raise ValueError("an acceptance needs card, commitment and committed")
        return self

    catalogue: ClassVar[Catalogue] = Catalogue(
        routes=((OWNER, AGGREGATOR),),
        sent_when="When policy or person has decided, no data set matches, or a person is asked; again when "
        "that has changed, in the place of what was said before, and while an acceptance has no answer.",
        answers=("admission_answer",),
        deadline="join_s",
        on_silence="An owner that has accepted does not join.",
        example=lambda: InvitationAnswer(
            decision="accepted", code="accepted", card=DIGEST, commitment=DIGEST, committed=DIGEST
        ),
    )


class OwnersByCode(FrozenModel):
    """How many owners have answered with the same reason."""

    code: Code
    owners: Count


class JoiningProgress(MessageBody):
    """FA → MB, while joining is open: how many owners are asked, joined, wait or have declined, and why."""

    type: Literal["joining_progress"] = "joining_progress"
    asked: Count
    joined: Count
    declined: Annotated[tuple[OwnersByCode, ...], Field(max_length=16, fail_fast=True)] = ()
    waiting: Annotated[tuple[OwnersByCode, ...], Field(max_length=16, fail_fast=True)] = ()

    catalogue: ClassVar[Catalogue] = Catalogue(
        routes=((AGGREGATOR, BUYER),),
        sent_when="When owners are invited, when one waits or declines, or does so no more, or has joined "
        "that did: at most nine times for each.",
        example=lambda: JoiningProgress(
            asked=5, joined=3, declined=(OwnersByCode(code="no_matching_card", owners=1),)
        ),
    )

    @property
    def possible(self) -> int:
        """How many owners may still take part, or do."""
        return self.asked - sum(group.owners for group in self.declined)


class RowCount(FrozenModel):
    """How many rows an owner says it has."""

    owner: Address
    rows: Count
