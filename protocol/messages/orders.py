"""What an operator asks of a daemon, signed with the daemon's own key."""

from typing import ClassVar, Literal

from pydantic import field_validator

from protocol.admission_policy import AdmissionPolicy
from protocol.messages.catalogue import AGGREGATOR, BUYER, OPERATOR, OWNER, Catalogue, MessageBody
from protocol.messages.examples import SCALE, TRAINER, any_request
from protocol.owner_policy import OwnerPolicy
from protocol.request import Request
from protocol.terms import NATIVE, Token
from protocol.types import ZERO_ADDRESS, Address, Name, TrainingId


class TrainingOrder(MessageBody):
    """Operator → its own buyer's queue: have this trained, by owners that `admission` admits.

    Without one the configuration's policy decides.
    """

    type: Literal["training_order"] = "training_order"
    request: Request
    admission: AdmissionPolicy | None = None

    catalogue: ClassVar[Catalogue] = Catalogue(
        routes=((OPERATOR, BUYER),),
        sent_when="By `deltaml train`, a console or a standing order.",
        example=lambda: TrainingOrder(request=any_request()),
    )


class AdmissionOrder(MessageBody):
    """Operator → its own buyer's queue: admit an owner that waits for a person, or refuse it."""

    type: Literal["admission_order"] = "admission_order"
    training: TrainingId
    owner: Address
    admit: bool

    catalogue: ClassVar[Catalogue] = Catalogue(
        routes=((OPERATOR, BUYER),),
        sent_when="By `deltaml admit` and `deltaml refuse`, or a console.",
        example=lambda: AdmissionOrder(training=7, owner=TRAINER, admit=True),
    )


class OwnerDecision(MessageBody):
    """Operator → its own owner's queue: join a training or not, with `beyond_budget` over the limit."""

    type: Literal["owner_decision"] = "owner_decision"
    training: TrainingId
    accept: bool
    data_set: Name | None = None
    beyond_budget: bool = False

    catalogue: ClassVar[Catalogue] = Catalogue(
        routes=((OPERATOR, OWNER),),
        sent_when="By `deltaml accept` and `deltaml decline`, or a console.",
        example=lambda: OwnerDecision(training=7, accept=True, data_set="rows"),
    )


class PolicyOrder(MessageBody):
    """Operator → its own owner's queue: decide by this policy; None is the configuration's."""

    type: Literal["policy_order"] = "policy_order"
    policy: OwnerPolicy | None

    catalogue: ClassVar[Catalogue] = Catalogue(
        routes=((OPERATOR, OWNER),),
        sent_when="By `deltaml policy` and `deltaml budget`, or a console.",
        example=lambda: PolicyOrder(
            policy=OwnerPolicy(automatic=True, columns=("bmi", "progression"), minimum_pay_wei=SCALE // 100)
        ),
    )


class WithdrawOrder(MessageBody):
    """Operator → its own owner's queue: have the contract pay a token's credit out, perhaps `to` another."""

    type: Literal["withdraw_order"] = "withdraw_order"
    token: Token = NATIVE
    to: Address | None = None

    @field_validator("to")
    @classmethod
    def _somebody(cls, to: Address | None) -> Address | None:
        if to == ZERO_ADDRESS:
            raise ValueError("nobody has this address: what is paid to it is lost")
        return to

    catalogue: ClassVar[Catalogue] = Catalogue(
        routes=((OPERATOR, OWNER),),
        sent_when="By `deltaml withdraw`, or a console.",
        example=lambda: WithdrawOrder(),  # noqa: PLW0108  the class is not there yet
    )


class StopOrder(MessageBody):
    """Operator → its own buyer's or aggregator's queue: end a training after the last recorded round."""

    type: Literal["stop_order"] = "stop_order"
    training: TrainingId
    reason: Name

    catalogue: ClassVar[Catalogue] = Catalogue(
        routes=((OPERATOR, BUYER), (OPERATOR, AGGREGATOR)),
        sent_when="By `deltaml stop`, or a console.",
        example=lambda: StopOrder(training=7, reason="enough of it"),
    )
